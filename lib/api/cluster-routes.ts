import { z } from 'zod';
import {
  AwsIotCluster,
  CLUSTER_KINDS,
  ClusterId,
  ClusterInput,
  MqttCluster,
  ROCKETMQ_MESSAGE_TYPES,
  RocketmqCluster,
  TopicInput,
} from '../domain/clusters/cluster.ts';
import { Warnings } from './problem.ts';
import type { Routes } from './route.ts';
import { NoQuery, PageQuery, pageOf, Timestamp, Version } from './schemas.ts';

const stored = {
  clusterId: ClusterId,
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  warnings: Warnings.optional(),
};

/** A registered cluster, as the API answers it. Secrets are references only. */
export const ClusterAnswer = z.discriminatedUnion('kind', [
  AwsIotCluster.extend(stored),
  MqttCluster.extend(stored),
  RocketmqCluster.extend(stored),
]);

/** A registered RocketMQ topic, as the API answers it. */
export const TopicAnswer = z.object({
  clusterId: ClusterId,
  topic: z.string(),
  type: z.enum(ROCKETMQ_MESSAGE_TYPES),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  warnings: Warnings.optional(),
});

// What exists under no name of the right form is simply not there: reads answer 404, only registering explains the form.
export const ClusterParams = z.strictObject({ clusterId: z.string().min(1).max(128) });
const TopicParams = z.strictObject({
  clusterId: z.string().min(1).max(128),
  topic: z.string().min(1).max(255),
});

export const CLUSTER_ROUTES = {
  'GET /clusters': {
    operationId: 'listClusters',
    summary: 'List clusters',
    params: z.strictObject({}),
    query: PageQuery.extend({
      region: z.string().max(64).optional(),
      kind: z.enum(CLUSTER_KINDS).optional(),
    }),
    answers: { 200: { description: 'A page of clusters', schema: pageOf(ClusterAnswer) } },
    problems: [],
  },
  'PUT /clusters/{clusterId}': {
    operationId: 'putCluster',
    summary: 'Register or change a cluster',
    description:
      'The kind never changes. The address (endpoint, namespace, url) stays while a task that uses the cluster is wanted running; the region of an aws-iot cluster stays while any task uses it. All else may change at any time. Nothing is connected to here.',
    params: z.strictObject({ clusterId: ClusterId }),
    query: NoQuery,
    body: ClusterInput,
    ifMatch: 'optional',
    answers: {
      200: { description: 'Changed', schema: ClusterAnswer, etag: true },
      201: { description: 'Registered', schema: ClusterAnswer, etag: true },
    },
    problems: [404, 409, 412],
  },
  'GET /clusters/{clusterId}': {
    operationId: 'getCluster',
    summary: 'Read a cluster',
    params: ClusterParams,
    query: NoQuery,
    answers: { 200: { description: 'The cluster', schema: ClusterAnswer, etag: true } },
    problems: [404],
  },
  'DELETE /clusters/{clusterId}': {
    operationId: 'deleteCluster',
    summary: 'Delete a cluster and its registered topics',
    description: 'Refused while a task uses the cluster.',
    params: ClusterParams,
    query: NoQuery,
    ifMatch: 'optional',
    answers: { 204: { description: 'Deleted' } },
    problems: [404, 409, 412],
  },
  'PUT /clusters/{clusterId}/topics/{topic}': {
    operationId: 'putTopic',
    summary: 'Register a RocketMQ topic with its message type',
    description:
      'At send the route of the cluster decides; what is registered here is what tasks are checked against.',
    params: TopicParams,
    query: NoQuery,
    body: TopicInput,
    answers: {
      200: { description: 'Changed', schema: TopicAnswer },
      201: { description: 'Registered', schema: TopicAnswer },
    },
    problems: [404, 409],
  },
  'GET /clusters/{clusterId}/topics/{topic}': {
    operationId: 'getTopic',
    summary: 'Read a registered topic',
    params: TopicParams,
    query: NoQuery,
    answers: { 200: { description: 'The topic', schema: TopicAnswer } },
    problems: [404],
  },
  'DELETE /clusters/{clusterId}/topics/{topic}': {
    operationId: 'deleteTopic',
    summary: 'Forget a registered topic',
    description: 'The topic stays on the cluster. Refused while it is the target of a task.',
    params: TopicParams,
    query: NoQuery,
    answers: { 204: { description: 'Forgotten' } },
    problems: [404, 409],
  },
} as const satisfies Routes;
