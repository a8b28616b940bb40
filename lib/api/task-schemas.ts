import { z } from 'zod';
import { MAX_MESSAGE_ERRORS, type MessageError } from '../domain/errors/message-errors.ts';
import { consumerGroupOf } from '../domain/tasks/consumer-group.ts';
import type { Task } from '../domain/tasks/task.ts';
import { TASK_STATUSES, TaskDefinition } from '../domain/tasks/task.ts';
import { isFromRocketmq, pathOf } from '../domain/tasks/task-path.ts';
import { Warnings } from './problem.ts';
import { Timestamp, Version } from './schemas.ts';

export const TaskId = z.string().min(1).max(128);
export const Direction = z.enum(['mqtt-to-rocketmq', 'rocketmq-to-mqtt']);
export const Status = z.enum(TASK_STATUSES);

const StatusReason = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional().meta({ description: 'What to do about it' }),
  at: Timestamp,
});

const MadeResources = z
  .object({
    queueArn: z.string().optional(),
    mappingUuid: z.string().optional(),
    rules: z.array(
      z.object({ name: z.string(), region: z.string(), topicFilter: z.string(), enabled: z.boolean() }),
    ),
  })
  .meta({ description: 'What was made for the task in the AWS account' });

const LastError = z.object({
  at: Timestamp,
  code: z.string(),
  reason: z.string(),
  outcome: z.enum(['dead-letter', 'retried']).meta({
    description: 'dead-letter: it is kept as one. retried: it is, or was, tried again',
  }),
  sourceTopic: z.string().optional().meta({ description: 'MQTT topic or RocketMQ topic that it came by' }),
  targetTopic: z.string().optional().meta({ description: 'Where it was to go, if the mapping got so far' }),
  sourceId: z
    .string()
    .optional()
    .meta({ description: 'RocketMQ’s message id, or of the record in the task’s queue' }),
  mqferryId: z.string().optional().meta({ description: '`mqferry_id` of the message' }),
  deadLetterId: z.string().optional(),
});

/** A task, as the API answers it: the definition, what is wanted, what is true. */
export const TaskAnswer = z.object({
  taskId: z.string().meta({ description: 'A ULID', example: '01J9Z3N8Q2W5R7T9V1X3Y5Z7A9' }),
  ...TaskDefinition.shape,
  direction: Direction,
  path: z.enum(['rule', 'session', 'pull']).meta({
    description:
      'The way its messages take: topic rules and a queue, an MQTT session, or pulled from RocketMQ',
  }),
  consumerGroup: z.string().optional().meta({ description: 'Pull path: the consumer group it reads with' }),
  desired: z.enum(['running', 'paused', 'deleted']).meta({ description: 'What was asked for' }),
  status: Status.meta({ description: 'What is true, as last seen' }),
  reason: StatusReason.optional().meta({ description: 'Why the status is as it is' }),
  version: Version,
  observedVersion: Version.optional().meta({ description: 'The version that has been carried out' }),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  startedAt: Timestamp.optional().meta({ description: 'First start' }),
  resources: MadeResources,
  warnings: Warnings.optional(),
  affectsBuffered: z.int().min(0).optional().meta({
    description: 'After an edit: messages that wait and will go through the new mapping; approximate',
  }),
  lastErrors: z.array(LastError).max(MAX_MESSAGE_ERRORS).optional().meta({
    description:
      'Of `GET /tasks/{taskId}`: the last failures of single messages, newest first; of a message the last one, and of what is tried again at most three of a code',
  }),
});
export type TaskAnswer = z.infer<typeof TaskAnswer>;

/** What users see of a stored task. */
export function taskAnswer(task: Task): TaskAnswer {
  const { definition, resources, reason, observedVersion, startedAt } = task;
  return {
    taskId: task.taskId,
    ...definition,
    direction: task.direction,
    path: pathOf(definition),
    ...(isFromRocketmq(definition)
      ? { consumerGroup: consumerGroupOf({ taskId: task.taskId, definition }) }
      : {}),
    desired: task.desired,
    status: task.status,
    ...(reason === undefined ? {} : { reason: shownReason(reason) }),
    version: task.version,
    ...(observedVersion === undefined ? {} : { observedVersion }),
    createdAt: task.createdAt,
    updatedAt: task.updatedAt,
    ...(startedAt === undefined ? {} : { startedAt }),
    resources: {
      ...(resources.queue === undefined ? {} : { queueArn: resources.queue.arn }),
      ...(resources.mapping === undefined ? {} : { mappingUuid: resources.mapping.uuid }),
      rules: Object.values(resources.rules).map(({ name, region, topicFilter, enabled }) => ({
        name,
        region,
        topicFilter,
        enabled,
      })),
    },
  };
}

/** What is told of the last failures. */
export function lastErrorsAnswer(errors: readonly MessageError[]): z.infer<typeof LastError>[] {
  return errors.map(({ atMs, ...error }) => ({ at: new Date(atMs).toISOString(), ...error }));
}

/** Whose word a reason is matters to nobody outside. */
function shownReason({ about: _, ...shown }: NonNullable<Task['reason']>) {
  return shown;
}

/** Body of `POST /tasks`. */
export const CreateTask = TaskDefinition.extend({
  startNow: z.boolean().default(false).meta({ description: 'Start as soon as everything is made' }),
});

export const EventAnswer = z.object({
  eventId: z.string(),
  at: Timestamp,
  code: z.string(),
  message: z.string(),
  actor: z.string().optional().meta({ description: 'Who asked for it' }),
  details: z.record(z.string(), z.unknown()).optional(),
});

export const RevisionAnswer = z.object({
  version: Version,
  definition: TaskDefinition,
  at: Timestamp,
  actor: z.string().optional(),
});
