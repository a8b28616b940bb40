import type { z } from 'zod';
import { type DeadLetter, decodeHandOver, UNKNOWN_TASK_ID } from '../../domain/dead-letters/dead-letter.ts';
import { RuleError } from '../../mapping/rule-error.ts';
import { taskIdOfQueueArn, taskIdOfRuleName, taskOfEnvelope } from '../task-names.ts';
import { deadLetterIdOf } from './dead-letter-id.ts';

/** One message of the hand-over queue. */
export interface HandOverRecord {
  recordId: string;
  body: string;
  receiveCount: number;
  /** Epoch milliseconds; a message that its queue gave up keeps the time of its first sending. */
  sentTimeMs: number;
  /** Epoch milliseconds at the hand-over queue. */
  firstReceiveTimeMs: number;
  /** The queue that gave the message up, where SQS says so. */
  sourceQueueArn?: string;
}

type Told = Pick<DeadLetter, 'taskId' | 'origin' | 'version' | 'code' | 'reason' | 'attempts'> &
  Partial<
    Pick<
      DeadLetter,
      'firstSeenAtMs' | 'failedAtMs' | 'body' | 'sourceTopic' | 'targetTopic' | 'tries' | 'lastCode'
    >
  > & {
    recordId?: string;
  };

/**
 * The dead letter that a message of the hand-over queue stands for. Every text makes one: what is none of the three
 * known shapes is kept as it is, with the reason `UNKNOWN_SHAPE`.
 */
export function deadLetterOf(record: HandOverRecord, storedAtMs: number): DeadLetter {
  const { recordId, ...told } = tell(record);
  const identity = {
    taskId: told.taskId,
    recordId: recordId ?? record.recordId,
    firstSeenAtMs: told.firstSeenAtMs ?? record.sentTimeMs,
  };
  return {
    deadLetterId: deadLetterIdOf(identity),
    body: record.body,
    failedAtMs: record.firstReceiveTimeMs,
    ...told,
    firstSeenAtMs: identity.firstSeenAtMs,
    storedAtMs,
  };
}

function tell(record: HandOverRecord): Told {
  const json = parsed(record.body);
  const handOver = decodeHandOver(json);
  if (handOver !== undefined) {
    const { envelope, targetTopic, tries, lastCode, ...told } = handOver;
    return {
      ...told,
      ...sourceOf(taskOfEnvelope(envelope)),
      ...(targetTopic === undefined ? {} : { targetTopic }),
      ...(tries === undefined ? {} : { tries }),
      ...(lastCode === undefined ? {} : { lastCode }),
      origin: 'forward',
      body: envelope,
    };
  }
  const ruleError = RuleError.safeParse(json);
  if (ruleError.success) return ruleFailed(ruleError.data);
  return queueGaveUp(record) ?? unknownShape(record);
}

function sourceOf(envelope: ReturnType<typeof taskOfEnvelope>): Pick<Told, 'sourceTopic'> {
  return envelope?.topicName === undefined ? {} : { sourceTopic: envelope.topicName };
}

function ruleFailed({ ruleName, topic, failures }: z.infer<typeof RuleError>): Told {
  const said = failures.map(({ failedAction, errorMessage }) =>
    [failedAction, errorMessage].filter((text) => text !== undefined).join(': '),
  );
  return {
    taskId: taskIdOfRuleName(ruleName) ?? UNKNOWN_TASK_ID,
    origin: 'rule',
    version: 0,
    sourceTopic: topic,
    code: 'RULE_ACTION_FAILED',
    reason: `AWS IoT could not run the action of rule ${ruleName}${said.length > 0 ? ` (${said.join('; ')})` : ''}`,
    attempts: 0,
  };
}

/** A rule envelope, as it lay in its task's queue. */
function queueGaveUp(record: HandOverRecord): Told | undefined {
  const envelope = taskOfEnvelope(record.body);
  const queueTaskId =
    record.sourceQueueArn === undefined ? undefined : taskIdOfQueueArn(record.sourceQueueArn);
  const taskId = queueTaskId ?? envelope?.taskId;
  if (taskId === undefined) return undefined;
  return {
    taskId,
    origin: 'queue',
    version: envelope?.version ?? 0,
    ...sourceOf(envelope),
    code: 'QUEUE_GAVE_UP',
    reason: "the task's queue gave the message up after its last receive",
    attempts: record.receiveCount,
  };
}

function unknownShape({ receiveCount }: HandOverRecord): Told {
  return {
    taskId: UNKNOWN_TASK_ID,
    origin: 'unknown',
    version: 0,
    code: 'UNKNOWN_SHAPE',
    reason:
      'the hand-over queue held something that is neither a dead letter nor an envelope nor a rule error',
    attempts: receiveCount,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: then it is none of the known shapes, and kept as it is.
    return undefined;
  }
}
