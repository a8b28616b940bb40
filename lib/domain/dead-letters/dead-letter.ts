import { z } from 'zod';

/** Stands where a task cannot be told: such a dead letter is kept all the same. */
export const UNKNOWN_TASK_ID = 'UNKNOWN';

/** How long a dead letter is kept, in milliseconds: 90 days. */
export const DEAD_LETTER_RETENTION_MS = 90 * 24 * 60 * 60 * 1000;

const epochMs = z.int().min(0);

/** A message that could not be replicated, whole, with its reason: on its way to the dead-letter store. */
export const DeadLetterHandOver = z.object({
  taskId: z.string().min(1),
  /** Definition version whose mapping or sending failed; 0 when there was none. */
  version: z.int().min(0),
  /** Stable code of the reason. */
  code: z.string().min(1),
  /** The reason in a sentence; never the payload. */
  reason: z.string(),
  /** Id of the source's record, the same at each of its receipts: handing over twice leaves one dead letter. */
  recordId: z.string().min(1),
  /** The source's record, unchanged (rule envelope as text). */
  envelope: z.string(),
  /** How often the source handed it to us. */
  attempts: z.int().min(0),
  firstSeenAtMs: epochMs,
  failedAtMs: epochMs,
  /** The topic it was to go to, where the mapping got so far. */
  targetTopic: z.string().optional(),
  /** `RETRIES_EXHAUSTED`: the tries that counted, and the code of the last failure. */
  tries: z.int().min(0).optional(),
  lastCode: z.string().optional(),
});
export type DeadLetterHandOver = z.infer<typeof DeadLetterHandOver>;

/**
 * How a message came to be a dead letter.
 * - `forward`: the batching function handed it over with its reason.
 * - `pull`: the pull path kept it with its reason; its body is an envelope of version 3.
 * - `queue`: the task's queue gave it up after its last receive; only crashes come so far.
 * - `rule`: AWS IoT could not run the rule's action, and its error action brought it.
 * - `unknown`: the hand-over queue held something that is none of these.
 */
export type DeadLetterOrigin = 'forward' | 'pull' | 'queue' | 'rule' | 'unknown';

/** A dead letter as it is kept. */
export interface DeadLetter {
  /** A ULID made from when and what was handed over, see `deadLetterIdOf`. */
  deadLetterId: string;
  taskId: string;
  origin: DeadLetterOrigin;
  version: number;
  code: string;
  reason: string;
  /** Envelope, error-action document, or whatever came: byte for byte as received. */
  body: string;
  attempts: number;
  /** `RETRIES_EXHAUSTED`: the tries that counted, and the code of the last failure. */
  tries?: number;
  lastCode?: string;
  /** The topic it came from, and the one it was to go to, as far as they are known. */
  sourceTopic?: string;
  targetTopic?: string;
  /** How often it was redriven and failed again; absent: never. */
  redrives?: number;
  /** Epoch milliseconds. */
  firstSeenAtMs: number;
  failedAtMs: number;
  storedAtMs: number;
}

/** What changes about a dead letter that was redriven and failed again. */
export type FailedRedrive = Pick<DeadLetter, 'version' | 'code' | 'reason' | 'failedAtMs'> &
  Partial<Pick<DeadLetter, 'targetTopic'>>;

/** What a list tells of a dead letter. */
export type DeadLetterHead = Omit<DeadLetter, 'body'>;

/**
 * The text in which a hand-over travels. The version member tells it from everything else on the same queue. U+FFFE and
 * U+FFFF are escaped: SQS refuses them in a message.
 */
export function encodeHandOver(entry: DeadLetterHandOver): string {
  return JSON.stringify({ mqferryDeadLetter: 1, ...entry }).replace(/[\uFFFE\uFFFF]/g, (character) =>
    character === '\uFFFE' ? '\\ufffe' : '\\uffff',
  );
}

/** The hand-over in a parsed JSON value, or undefined when it is something else. */
export function decodeHandOver(value: unknown): DeadLetterHandOver | undefined {
  const parsed = HandOverText.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

const HandOverText = DeadLetterHandOver.extend({ mqferryDeadLetter: z.literal(1) }).transform(
  ({ mqferryDeadLetter: _, ...entry }) => entry,
);
