import { createHash } from 'node:crypto';
import { uncoveredFilters } from '../topics/topic-filter.ts';
import type { ResourceNames } from './resource-names.ts';
import type { Task } from './task.ts';
import { isFromMqtt, pathOf } from './task-path.ts';

/** Six times the batching function's timeout of 30 s, as AWS recommends. */
export const VISIBILITY_TIMEOUT_SECONDS = 180;
/** The longest that SQS keeps a message. */
export const RETENTION_SECONDS = 14 * 24 * 60 * 60;
/** Only a function that crashes again and again gets there: dead letters are decided by the error table, not by SQS. */
export const MAX_RECEIVE_COUNT = 1000;

/** Records per batch that Lambda takes from a FIFO queue, or from any queue without a window. */
const MAX_BATCH_WITHOUT_WINDOW = 10;
/** Of the mapping of an overflow, which is there now and then: the least that AWS takes. */
export const OVERFLOW_CONCURRENCY = 2;

/** Attributes a task's queue must have. Durations as SQS takes them. */
export interface TaskQueueSpec {
  /** Ends in `.fifo` where it is one. */
  name: string;
  /** In order within each message group, at high throughput. Absent: a standard queue. */
  isFifo?: true;
  visibilityTimeoutSeconds: number;
  retentionSeconds: number;
  /** ARN of the dead-letter hand-over queue. */
  deadLetterQueueArn: string;
  maxReceiveCount: number;
  tags: Readonly<Record<string, string>>;
}

/** A mapping from a task's queue to the batching function. It always reports batch item failures. */
export interface MappingSpec {
  queueArn: string;
  functionName: string;
  enabled: boolean;
  batchSize: number;
  /** Absent for a FIFO queue, which has none. */
  maximumBatchingWindowSeconds?: number;
  maximumConcurrency: number;
  tags: Readonly<Record<string, string>>;
}

export interface TopicRuleSpec {
  /** [A-Za-z0-9_]+, at most 128. */
  name: string;
  sql: string;
  description: string;
  enabled: boolean;
  /** Action: the task's queue. */
  queueUrl: string;
  /** Error action: the dead-letter hand-over queue. */
  errorQueueUrl: string;
  /** Role that AWS IoT assumes to send. */
  roleArn: string;
  tags: Readonly<Record<string, string>>;
}

/** What all tasks of a stack have in common. */
export interface SpecSettings {
  names: ResourceNames;
  batchFunctionName: string;
  deadLetterQueueArn: string;
  deadLetterQueueUrl: string;
  /** What FIFO queues give up goes to one of their kind. */
  deadLetterFifoQueueArn: string;
  ruleRoleArn: string;
  /** The SELECT that makes a task's envelope; its text must be safe for any valid filter. */
  ruleSql(rule: { taskId: string; version: number; ruleNumber: number; topicFilter: string }): string;
}

/** A specification with the hash that tells whether what was made is of this form. `enabled` and tags are not in it. */
export type Hashed<T> = T & { specHash: string };

export interface RuleSpec {
  /** Index of the filter in the definition. */
  ruleNumber: number;
  region: string;
  topicFilter: string;
  specHash: string;
  /** What the rule has to be, for the queue that was made, under the name of a rule number or of its spare. */
  render(options: { name: string; queueUrl: string; enabled: boolean }): TopicRuleSpec;
}

/** A task's queue, and the mapping from it to the batching function. */
export interface QueueSpecs {
  queue: Hashed<TaskQueueSpec>;
  mapping: Hashed<Omit<MappingSpec, 'queueArn' | 'enabled'>>;
}

/** Rule path: rules by number, lowest first. A filter that another one of the task covers has no rule. */
export interface RulePathSpecs extends QueueSpecs {
  path: 'rule';
  rules: readonly RuleSpec[];
}

/** Session path: the queue is for overflow and pauses. */
export interface SessionPathSpecs extends QueueSpecs {
  path: 'session';
}

/** Pull path: RocketMQ keeps what waits. */
export interface PullPathSpecs {
  path: 'pull';
}

export type ResourceSpecs = RulePathSpecs | SessionPathSpecs | PullPathSpecs;

/** Everything that a task needs in the cloud. */
export function renderResourceSpecs(task: Task, settings: SpecSettings): ResourceSpecs {
  const { definition } = task;
  const path = pathOf(definition);
  if (path === 'session') return { path, ...sessionQueueSpecs(task, settings) };
  if (path === 'rule' && isFromMqtt(definition)) {
    const { topicFilters } = definition.source;
    return { path, ...ruleQueueSpecs(task, settings), rules: ruleSpecs(task, topicFilters, settings) };
  }
  return { path: 'pull' };
}

/** The name of the queue that a task of this definition has; undefined where it has none. */
export function queueNameOf(
  { taskId, definition }: Pick<Task, 'taskId' | 'definition'>,
  names: ResourceNames,
): string | undefined {
  const path = pathOf(definition);
  if (path === 'pull') return undefined;
  return names.queueName(taskId, path === 'session' && definition.options.ordering !== 'none');
}

/** 64 bits of SHA-256 over the values, whatever the order of their names. */
export function specHash(values: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

function hashed<T extends { tags: unknown }>(spec: T): Hashed<T> {
  const { tags: _, ...values } = spec;
  return { ...spec, specHash: specHash(values) };
}

function ruleQueueSpecs({ taskId, definition }: Task, settings: SpecSettings): QueueSpecs {
  const { batch, concurrency } = definition.options;
  const tags = settings.names.tags(taskId);
  return {
    queue: hashed({
      name: settings.names.queueName(taskId),
      // AWS adds the window: while a batch is gathered its records are hidden already.
      visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS + batch.maxWaitSeconds,
      retentionSeconds: RETENTION_SECONDS,
      deadLetterQueueArn: settings.deadLetterQueueArn,
      maxReceiveCount: MAX_RECEIVE_COUNT,
      tags,
    }),
    mapping: hashed({
      functionName: settings.batchFunctionName,
      batchSize: batch.maxMessages,
      maximumBatchingWindowSeconds: batch.maxWaitSeconds,
      maximumConcurrency: concurrency,
      tags,
    }),
  };
}

/** Where order is kept the queue keeps it too: a message group for what stays in order (protocol-design-rule 1). */
function sessionQueueSpecs({ taskId, definition }: Task, settings: SpecSettings): QueueSpecs {
  const { batch, ordering } = definition.options;
  const isFifo = ordering !== 'none';
  const tags = settings.names.tags(taskId);
  return {
    queue: hashed({
      name: settings.names.queueName(taskId, isFifo),
      ...(isFifo ? { isFifo: true as const } : {}),
      visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
      retentionSeconds: RETENTION_SECONDS,
      deadLetterQueueArn: isFifo ? settings.deadLetterFifoQueueArn : settings.deadLetterQueueArn,
      maxReceiveCount: MAX_RECEIVE_COUNT,
      tags,
    }),
    mapping: hashed({
      functionName: settings.batchFunctionName,
      batchSize: Math.min(batch.maxMessages, MAX_BATCH_WITHOUT_WINDOW),
      ...(isFifo ? {} : { maximumBatchingWindowSeconds: 0 }),
      maximumConcurrency: OVERFLOW_CONCURRENCY,
      tags,
    }),
  };
}

function ruleSpecs(task: Task, topicFilters: readonly string[], settings: SpecSettings): RuleSpec[] {
  const { taskId, version, sourceRegion } = task;
  const needed = new Set(uncoveredFilters(topicFilters, 'aws-iot'));
  const specs = topicFilters.map((topicFilter, ruleNumber) => {
    const values = {
      sql: settings.ruleSql({ taskId, version, ruleNumber, topicFilter }),
      description: `mqferry task ${taskId}`,
      errorQueueUrl: settings.deadLetterQueueUrl,
      roleArn: settings.ruleRoleArn,
    };
    const tags = settings.names.tags(taskId);
    const hash = specHash(values);
    const render: RuleSpec['render'] = (options) => ({ ...values, ...options, tags });
    return { ruleNumber, region: sourceRegion, topicFilter, specHash: hash, render };
  });
  return specs.filter(({ ruleNumber }) => needed.has(ruleNumber));
}
