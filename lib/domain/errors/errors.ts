/**
 * What to do about an error. The one table from broker statuses to reactions is `error-table.ts`.
 * - `retry`: try again with back-off; the message stays at its source meanwhile.
 * - `throttle`: as retry, but the target asked for less: wait at least `waitMs`.
 * - `dead-letter`: no number of tries can help this message.
 * - `hold`: a person has to act (credentials, access, a missing fixed topic): the message stays at its source, the task is degraded.
 */
export type Reaction = 'retry' | 'throttle' | 'dead-letter' | 'hold';

/** What an error is about: one message, the topic it went to, or the whole cluster. */
export type ErrorScope = 'message' | 'topic' | 'cluster';

export interface BridgeErrorOptions extends ErrorOptions {
  /** Stable, upper snake case, documented in docs/errors.md. */
  code: string;
  reaction: Reaction;
  scope: ErrorScope;
  /** How long the other side asked to wait, in milliseconds (`throttle` only). */
  waitMs?: number;
  /** True when the request may have taken effect although no answer came: sending again may duplicate. */
  maybeStored?: boolean;
  /** One sentence for the user: what would be right. */
  hint?: string;
}

/** Base of every error of the data plane. Carries the reaction, so that nobody has to look at names or texts. */
export class BridgeError extends Error {
  readonly code: string;
  readonly reaction: Reaction;
  readonly scope: ErrorScope;
  readonly waitMs: number | undefined;
  readonly maybeStored: boolean;
  readonly hint: string | undefined;

  constructor(message: string, options: BridgeErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.reaction = options.reaction;
    this.scope = options.scope;
    this.waitMs = options.waitMs;
    this.maybeStored = options.maybeStored ?? false;
    this.hint = options.hint;
  }
}

type LeafOptions = Omit<BridgeErrorOptions, 'reaction' | 'scope' | 'code'> & { code?: string };

/** The message itself breaks a rule of the target (illegal property, empty tag …). */
export class InvalidMessageError extends BridgeError {
  constructor(message: string, options: LeafOptions = {}) {
    super(message, { code: 'MESSAGE_INVALID', ...options, reaction: 'dead-letter', scope: 'message' });
  }
}

/** A rendered topic name that the target can never accept. */
export class InvalidTopicError extends BridgeError {
  constructor(message: string, options: LeafOptions = {}) {
    super(message, { code: 'TOPIC_INVALID', ...options, reaction: 'dead-letter', scope: 'message' });
  }
}

/** Body or properties are larger than the target takes. */
export class PayloadTooLargeError extends BridgeError {
  constructor(message: string, options: LeafOptions = {}) {
    super(message, { code: 'PAYLOAD_TOO_LARGE', ...options, reaction: 'dead-letter', scope: 'message' });
  }
}

/** A template asks for a value that this message does not have, or the envelope cannot be read. */
export class UnmappableMessageError extends BridgeError {
  constructor(message: string, options: LeafOptions = {}) {
    super(message, { code: 'UNMAPPABLE', ...options, reaction: 'dead-letter', scope: 'message' });
  }
}

/** The target did not answer, refused the connection, or answered that it is not able to work now. */
export class BrokerUnavailableError extends BridgeError {
  constructor(message: string, options: LeafOptions = {}) {
    super(message, { code: 'TARGET_UNAVAILABLE', ...options, reaction: 'retry', scope: 'cluster' });
  }
}

/** The target asked for less traffic. */
export class BrokerThrottledError extends BridgeError {
  constructor(message: string, options: LeafOptions & { waitMs: number }) {
    super(message, { code: 'TARGET_THROTTLED', ...options, reaction: 'throttle', scope: 'cluster' });
  }
}

/** The target will not take this until a person changes something there (credentials, access, a topic). */
export class BrokerHoldError extends BridgeError {
  constructor(message: string, options: LeafOptions & { code: string; scope: 'topic' | 'cluster' }) {
    super(message, { ...options, reaction: 'hold' });
  }
}

/** Not sent, because an earlier message of its message group failed and order is kept. `cause` is that failure. */
export class GroupStoppedError extends BridgeError {
  constructor(message: string, options: LeafOptions = {}) {
    super(message, { code: 'GROUP_STOPPED', ...options, reaction: 'retry', scope: 'message' });
  }
}

/** One rule that one field of a request breaks. */
export interface FieldError {
  /** JSON pointer-like path of the field: `source.topicFilters[0]`; empty for the whole body. */
  field: string;
  /** Stable code, upper snake case. */
  code: string;
  /** The rule, and what would be right. */
  message: string;
}

/**
 * A request of the API that cannot be carried out. Becomes an RFC 9457 problem document; its text must never hold a
 * secret or a payload.
 */
export class RequestError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[];
  /** More members of the problem document, for example `free` or `currentVersion`. */
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    message: string,
    options: ErrorOptions & { errors?: readonly FieldError[]; extensions?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RequestError';
    this.status = status;
    this.code = code;
    this.errors = options.errors ?? [];
    this.extensions = options.extensions ?? {};
  }
}

/** A function was deployed with a configuration that it cannot work with: the cold start fails and names every bad variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
