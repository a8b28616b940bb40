/** Structured log: a sentence and ids. Never a payload, never a secret. Normal operation logs at most one line per batch. */
export interface Logger {
  /** Debug lines are written: else nobody needs to gather what would stand in them. */
  readonly isDebug?: boolean;
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** A logger whose lines all carry the ids of the invocation under way. */
export interface InvocationLogger extends Logger {
  /** Ids for every line until the next call, which replaces them: what one invocation set never shows in the next. */
  setContext(fields: Readonly<Record<string, unknown>>): void;
}
