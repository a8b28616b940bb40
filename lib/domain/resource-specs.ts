import { createHash } from 'node:crypto';
import { ControlPlaneError } from './control-plane-error.ts';
import type { ResourceNames } from './resource-names.ts';
import type { Task, TaskDefinition } from './task.ts';
import { uncoveredFilters } from './topic-filter.ts';

/** Six times the batching function's timeout of 30 s, as AWS recommends. */
export const VISIBILITY_TIMEOUT_SECONDS = 180;
/** The longest that SQS keeps a message. */
export const RETENTION_SECONDS = 14 * 24 * 60 * 60;
/** Only a function that crashes again and again gets there: dead letters are decided by the error table, not by SQS. */
export const MAX_RECEIVE_COUNT = 1000;

/** Attributes a task's queue must have. Durations as SQS takes them. */
export interface TaskQueueSpec {
  name: string;
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
  maximumBatchingWindowSeconds: number;
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

export interface ResourceSpecs {
  queue: Hashed<TaskQueueSpec>;
  mapping: Hashed<Omit<MappingSpec, 'queueArn' | 'enabled'>>;
  /** By rule number, lowest first. A filter that another one of the task covers has no rule. */
  rules: readonly RuleSpec[];
}

/**
 * Everything that a task of the rule path needs in the cloud.
 * @throws ControlPlaneError when the task is not of the rule path.
 */
export function renderResourceSpecs(task: Task, settings: SpecSettings): ResourceSpecs {
  const { taskId, definition } = task;
  const { options } = definition;
  const tags = settings.names.tags(taskId);
  return {
    queue: hashed({
      name: settings.names.queueName(taskId),
      // AWS adds the window: while a batch is gathered its records are hidden already.
      visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS + options.batch.maxWaitSeconds,
      retentionSeconds: RETENTION_SECONDS,
      deadLetterQueueArn: settings.deadLetterQueueArn,
      maxReceiveCount: MAX_RECEIVE_COUNT,
      tags,
    }),
    mapping: hashed({
      functionName: settings.batchFunctionName,
      batchSize: options.batch.maxMessages,
      maximumBatchingWindowSeconds: options.batch.maxWaitSeconds,
      maximumConcurrency: options.concurrency,
      tags,
    }),
    rules: ruleSpecs(task, settings),
  };
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

function ruleSpecs(task: Task, settings: SpecSettings): RuleSpec[] {
  const { taskId, version, definition, sourceRegion } = task;
  const { topicFilters } = rulePathSource(definition);
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

function rulePathSource({ source, options }: TaskDefinition): { topicFilters: readonly string[] } {
  if ('topicFilters' in source && options.via !== 'session') return source;
  throw new ControlPlaneError('only tasks from aws-iot by topic rules have resources of their own', {
    code: 'PATH_NOT_SUPPORTED',
    reaction: 'failed',
    hint: 'Delete the task, or set options.via to "rule" with a source of kind aws-iot.',
  });
}
