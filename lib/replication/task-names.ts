import { UnmappableMessageError } from '../domain/errors/errors.ts';
import { decodeEnvelope, isRuleEnvelope } from '../mapping/envelope.ts';
import { decodeLargeEnvelope } from '../mapping/session-envelope.ts';

const ULID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const QUEUE_ARN = new RegExp(`^arn:aws[a-z-]*:sqs:[^:]*:[^:]*:.+-(${ULID})(?:\\.fifo)?$`);
const RULE_NAME = new RegExp(`^.+_(${ULID})_\\d{1,2}$`);

/**
 * The task a queue was made for, by the end of its name. Whose the queue is need not be asked here: records come from
 * queues that the stack itself has mapped or redriven, and a dead letter must find its task even if the stack was
 * renamed.
 */
export function taskIdOfQueueArn(queueArn: string): string | undefined {
  return QUEUE_ARN.exec(queueArn)?.[1];
}

/** The task a topic rule was made for, by the end of its name. */
export function taskIdOfRuleName(ruleName: string): string | undefined {
  return RULE_NAME.exec(ruleName)?.[1];
}

/** The task and version that an envelope names, and its topic and `mqferry_id` where they are known; undefined when the text is no envelope. */
export function taskOfEnvelope(
  text: string,
): { taskId: string; version: number; topicName?: string; mqferryId?: string } | undefined {
  try {
    const large = decodeLargeEnvelope(text);
    if (large !== undefined) return { taskId: large.taskId, version: large.version };
    const envelope = decodeEnvelope(text);
    const { taskId, version, topicName } = envelope;
    const mqferryId = isRuleEnvelope(envelope) ? envelope.traceId : envelope.messageId;
    return { taskId, version, topicName, ...(mqferryId === undefined ? {} : { mqferryId }) };
  } catch (error) {
    if (error instanceof UnmappableMessageError) return undefined;
    throw error;
  }
}
