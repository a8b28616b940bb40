import { z } from 'zod';
import type { GetDeadLetter } from '../control/dead-letters/get-dead-letter.ts';
import type { DeadLetter, DeadLetterHead } from '../domain/dead-letters/dead-letter.ts';
import type { DeadLetterJob } from '../domain/dead-letters/dead-letter-job.ts';
import { isoTime } from '../domain/iso-time.ts';
import { Timestamp } from './schemas.ts';

const Count = z.int().min(0);
const Base64 = z.string().meta({ description: 'Bytes in base64' });
const Pairs = z.array(z.tuple([z.string(), z.string()])).meta({ description: 'Name and value, in order' });

/** What a list tells of a dead letter. */
export const DeadLetterHeadAnswer = z.object({
  deadLetterId: z.string(),
  taskId: z.string(),
  origin: z.enum(['forward', 'pull', 'queue', 'rule', 'unknown']).meta({
    description:
      'How it came to be one: given up on the way to RocketMQ, on the way from it, by the queue after its last receive, by a topic rule; or not known',
  }),
  version: Count.meta({ description: 'Version of the task’s definition; 0: none' }),
  reason: z.string().meta({ description: 'Stable code; `reason` of a selection' }),
  message: z.string().meta({ description: 'The reason in a sentence' }),
  attempts: Count.meta({ description: 'How often its source handed it to us' }),
  tries: Count.optional().meta({ description: 'RETRIES_EXHAUSTED: the tries that counted' }),
  lastCode: z.string().optional().meta({ description: 'RETRIES_EXHAUSTED: code of the last failure' }),
  redrives: Count.meta({ description: 'How often it was redriven and failed again' }),
  sourceTopic: z.string().optional(),
  targetTopic: z.string().optional().meta({ description: 'Where the mapping got so far' }),
  firstSeenAt: Timestamp,
  failedAt: Timestamp,
  storedAt: Timestamp,
});

const MqttContent = z.object({
  kind: z.literal('mqtt'),
  topicName: z.string(),
  payload: Base64,
  qos: z.int().min(0).max(2).optional(),
  retain: z.boolean().optional(),
  clientId: z.string().optional(),
  userProperties: Pairs,
  contentType: z.string().optional(),
  responseTopic: z.string().optional(),
  correlationData: Base64.optional(),
  payloadFormat: z.int().min(0).max(1).optional(),
  expirySeconds: Count.optional(),
});

const RocketmqContent = z.object({
  kind: z.literal('rocketmq'),
  rocketmqTopic: z.string(),
  body: Base64,
  tag: z.string().optional(),
  keys: z.array(z.string()),
  messageGroup: z.string().optional(),
  properties: Pairs,
  messageId: z.string(),
  bornAt: Timestamp,
});

const UnreadableContent = z.object({
  kind: z.literal('unreadable'),
  text: z.string().meta({ description: 'As it came' }),
});

export const DeadLetterAnswer = DeadLetterHeadAnswer.extend({
  content: z.union([MqttContent, RocketmqContent, UnreadableContent]),
});

export const DeadLetterSummaryAnswer = z.object({
  messages: Count,
  byReason: z.record(z.string(), Count),
  oldestAt: Timestamp.optional().meta({
    description: 'When the oldest was first seen; absent: there are none',
  }),
  isPartial: z.boolean().meta({ description: 'There are more than were counted' }),
});

export const DeadLetterJobAnswer = z.object({
  jobId: z.string(),
  taskId: z.string(),
  action: z.enum(['redrive', 'discard']),
  ids: z.array(z.string()).optional(),
  reason: z.string().optional(),
  all: z.literal(true).optional(),
  maxMessagesPerSecond: Count.optional(),
  state: z.enum(['queued', 'running', 'waiting', 'done']).meta({
    description: 'waiting: the target is away or the task is paused; it goes on by itself',
  }),
  waitsFor: z.object({ code: z.string(), message: z.string() }).optional(),
  counts: z.object({
    redriven: Count,
    discarded: Count,
    failed: Count.meta({ description: 'Failed again, and stay' }),
    skipped: Count.meta({ description: 'Expired, or not what the task carries now; they stay' }),
    missing: Count.meta({ description: 'Were not there any more, or cannot be redriven' }),
  }),
  createdAt: Timestamp,
  finishedAt: Timestamp.optional(),
});

export function deadLetterHeadAnswer(head: DeadLetterHead): z.infer<typeof DeadLetterHeadAnswer> {
  const { deadLetterId, taskId, origin, version, attempts, redrives = 0, sourceTopic, targetTopic } = head;
  const { tries, lastCode } = head;
  return {
    deadLetterId,
    taskId,
    origin,
    version,
    reason: head.code,
    message: head.reason,
    attempts,
    ...(tries === undefined ? {} : { tries }),
    ...(lastCode === undefined ? {} : { lastCode }),
    redrives,
    ...(sourceTopic === undefined ? {} : { sourceTopic }),
    ...(targetTopic === undefined ? {} : { targetTopic }),
    firstSeenAt: isoTime(head.firstSeenAtMs),
    failedAt: isoTime(head.failedAtMs),
    storedAt: isoTime(head.storedAtMs),
  };
}

/** The content of a dead letter, as the use case reads it. */
type Content = Awaited<ReturnType<GetDeadLetter>>['content'];

export function deadLetterAnswer(letter: DeadLetter, content: Content): z.infer<typeof DeadLetterAnswer> {
  return { ...deadLetterHeadAnswer(letter), content: contentAnswer(content) };
}

function contentAnswer(content: Content): z.infer<typeof DeadLetterAnswer>['content'] {
  if (content.kind === 'unreadable') return content;
  if (content.kind === 'rocketmq') {
    const { rocketmqTopic, body, tag, keys, messageGroup, properties, messageId, bornTimeMs } =
      content.message;
    return {
      kind: 'rocketmq',
      rocketmqTopic,
      body: body.toString('base64'),
      ...(tag === undefined ? {} : { tag }),
      keys: [...keys],
      ...(messageGroup === undefined ? {} : { messageGroup }),
      properties: [...properties],
      messageId,
      bornAt: isoTime(bornTimeMs),
    };
  }
  const { topicName, payload, userProperties, correlationData, ...rest } = content.message;
  return {
    kind: 'mqtt',
    topicName,
    payload: payload.toString('base64'),
    userProperties: userProperties.map(([name, value]) => [name, value]),
    ...(correlationData === undefined ? {} : { correlationData: correlationData.toString('base64') }),
    ...rest,
  };
}

export function deadLetterJobAnswer(job: DeadLetterJob): z.infer<typeof DeadLetterJobAnswer> {
  const { jobId, taskId, action, selection, state, reason, counts, createdAtMs, finishedAtMs } = job;
  return {
    jobId,
    taskId,
    action,
    ...('ids' in selection ? { ids: [...selection.ids] } : {}),
    ...('code' in selection ? { reason: selection.code } : {}),
    ...('all' in selection ? { all: true } : {}),
    ...(action === 'redrive' ? { maxMessagesPerSecond: job.maxMessagesPerSecond } : {}),
    state,
    ...(reason === undefined ? {} : { waitsFor: reason }),
    counts,
    createdAt: isoTime(createdAtMs),
    ...(finishedAtMs === undefined ? {} : { finishedAt: isoTime(finishedAtMs) }),
  };
}
