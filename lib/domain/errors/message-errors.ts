/** What last failed of single messages: to find them at their source, in the dead letters, or in the log. Never a payload. */
export interface MessageError {
  /** Epoch ms. */
  atMs: number;
  /** As in docs/errors.md. */
  code: string;
  reason: string;
  /** `retried`: it is, or was, tried again. */
  outcome: 'dead-letter' | 'retried';
  /** Where it came from and was to go to, as far as they are known: MQTT topic names, RocketMQ topics. */
  sourceTopic?: string;
  targetTopic?: string;
  /** Its id at the source: of the SQS record, or RocketMQ's. */
  sourceId?: string;
  mqferryId?: string;
  deadLetterId?: string;
}

/** So many are kept of a task. */
export const MAX_MESSAGE_ERRORS = 20;
/** Of an outage a few messages tell as much as all. */
const MAX_RETRIED_OF_A_CODE = 3;
/** Figures of a minute are to stay small, and a topic name may have 64 KB. */
const MAX_TEXT = 160;

/** The error, with texts cut to what is kept of them. */
export function messageError({ reason, sourceTopic, targetTopic, ...rest }: MessageError): MessageError {
  return {
    ...rest,
    reason: cut(reason),
    ...(sourceTopic === undefined ? {} : { sourceTopic: cut(sourceTopic) }),
    ...(targetTopic === undefined ? {} : { targetTopic: cut(targetTopic) }),
  };
}

/**
 * The last of them, newest first: of a message its last one, and of what is tried again a few of each code.
 *
 * @param max - how many
 */
export function lastErrors(
  errors: readonly MessageError[],
  max: number = MAX_MESSAGE_ERRORS,
): MessageError[] {
  const kept: MessageError[] = [];
  const messages = new Set<string>();
  const retried = new Map<string, number>();
  for (const error of errors.toSorted(newestFirst)) {
    if (kept.length === max) break;
    const id = error.mqferryId ?? error.sourceId ?? error.deadLetterId;
    const ofCode = retried.get(error.code) ?? 0;
    const isTold = (id !== undefined && messages.has(id)) || isEnough(error, ofCode);
    if (isTold) continue;
    if (id !== undefined) messages.add(id);
    if (error.outcome === 'retried') retried.set(error.code, ofCode + 1);
    kept.push(error);
  }
  return kept;
}

/** Of the same moment what is final comes first. */
function newestFirst(one: MessageError, other: MessageError): number {
  return other.atMs - one.atMs || Number(one.outcome === 'retried') - Number(other.outcome === 'retried');
}

function isEnough({ outcome }: MessageError, ofCode: number): boolean {
  return outcome === 'retried' && ofCode >= MAX_RETRIED_OF_A_CODE;
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
