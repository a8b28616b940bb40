import { z } from 'zod';
import { ROCKETMQ_MESSAGE_TYPES } from '../domain/clusters/cluster.ts';
import { ClusterParams, TopicAnswer } from './cluster-routes.ts';
import { Warnings } from './problem.ts';
import type { Routes } from './route.ts';
import { NoQuery, PageQuery, pageOf, Timestamp } from './schemas.ts';
import { TaskParams } from './task-routes.ts';

const TypeOnCluster = z.enum([...ROCKETMQ_MESSAGE_TYPES, 'UNSPECIFIED']);
const Queues = z.int().min(1).max(1_024).meta({ description: 'On each broker' });

/** A topic in a list, as far as it is known. */
export const ListedTopicAnswer = TopicAnswer.extend({
  type: TypeOnCluster.meta({ description: 'As registered, else as the cluster has it' }),
  registered: z.boolean().meta({ description: 'Tasks can be checked against it' }),
  onCluster: z.boolean().optional().meta({ description: 'Absent: the cluster could not be asked' }),
  typeOnCluster: TypeOnCluster.optional().meta({ description: 'What decides when messages are sent' }),
  queues: Queues.optional(),
  createdAt: Timestamp.optional().meta({ description: 'First registered' }),
  updatedAt: Timestamp.optional(),
});

/** Body of `POST /clusters/{clusterId}/topics`. */
export const CreateTopic = z.strictObject({
  topic: z.string().min(1).max(255),
  type: z.enum(ROCKETMQ_MESSAGE_TYPES),
  queues: Queues.default(8),
});

/** Body of `POST /tasks/{taskId}/position`. */
export const ResetPosition = z.strictObject({
  to: z.union([z.enum(['latest', 'earliest']), z.iso.datetime()]).meta({
    description:
      'Behind the last message, before the first one, or to the first that was stored at or after a time',
  }),
});

export const PositionAnswer = z.object({
  taskId: z.string(),
  rocketmqTopic: z.string(),
  consumerGroup: z.string(),
  to: z.string(),
  at: Timestamp,
});

export const LagAnswer = z.object({
  messages: z.int().min(0).meta({
    description: 'Not acknowledged yet; of a NORMAL topic without those that a function has in hand just now',
  }),
  oldestAgeSeconds: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'Absent: nothing waits, or the broker does not tell' }),
  approximate: z.literal(true),
  at: Timestamp,
});

/** Routes that reach brokers: they belong to one function, the only one of the API with a way there. */
export const PROBE_ROUTES = {
  'GET /clusters/{clusterId}/topics': {
    operationId: 'listTopics',
    summary: 'List the topics of a RocketMQ cluster',
    description:
      'Where the cluster names its `nameServer`: its own topics together with the registered ones; else the registered ones. When the cluster cannot be asked, `warnings` says why, and the registered ones are listed.',
    params: ClusterParams,
    query: PageQuery,
    answers: {
      200: {
        description: 'A page of topics',
        schema: pageOf(ListedTopicAnswer).extend({ warnings: Warnings.optional() }),
      },
    },
    problems: [404],
  },
  'POST /clusters/{clusterId}/topics': {
    operationId: 'createTopic',
    summary: 'Create a topic on a RocketMQ cluster, and register it',
    description:
      'Needs `nameServer` of the cluster. May be repeated: a topic of the same type that is there is registered as it is.',
    params: ClusterParams,
    query: NoQuery,
    body: CreateTopic,
    answers: {
      200: { description: 'It was registered before', schema: ListedTopicAnswer },
      201: { description: 'Registered', schema: ListedTopicAnswer },
    },
    problems: [404, 409, 502, 504],
  },
  'POST /tasks/{taskId}/position': {
    operationId: 'resetPosition',
    summary: 'Move where a paused task reads on in RocketMQ',
    description:
      'Needs `nameServer` of the source’s cluster. What was handed out before of a NORMAL topic and never acknowledged comes again all the same.',
    params: TaskParams,
    query: NoQuery,
    body: ResetPosition,
    answers: { 200: { description: 'Moved', schema: PositionAnswer } },
    problems: [404, 409, 502, 504],
  },
  'GET /tasks/{taskId}/lag': {
    operationId: 'getLag',
    summary: 'Count what a task has not read of its RocketMQ topic',
    description: 'Needs `nameServer` of the source’s cluster.',
    params: TaskParams,
    query: NoQuery,
    answers: { 200: { description: 'The lag', schema: LagAnswer } },
    problems: [404, 409, 502, 504],
  },
} as const satisfies Routes;
