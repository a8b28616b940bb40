import { z } from 'zod';

/** `aws-iot`: the device side on AWS; `mqtt`: any other MQTT 3.1.1/5 broker; `rocketmq`: RocketMQ 5 with a gRPC endpoint. */
export const CLUSTER_KINDS = ['aws-iot', 'mqtt', 'rocketmq'] as const;
export type ClusterKind = (typeof CLUSTER_KINDS)[number];

/** Cluster ids are chosen by the user and appear in URLs. */
export const ClusterId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, '1 to 63 of a-z, 0-9 and "-", not beginning with "-"')
  .meta({ description: 'Chosen by you; appears in URLs', example: 'business' });

const Region = z
  .string()
  .regex(
    /^[a-z]{2}(-[a-z]+)+-\d$/,
    'an AWS region name such as eu-west-1, or where the cluster stands in that form',
  );

/**
 * A secret is only ever named, never carried: an ARN of Secrets Manager or of an SSM SecureString parameter. Its region
 * is read from the ARN.
 */
export const SecretRef = z
  .string()
  .max(2048)
  .regex(
    /^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:.+|ssm:[a-z0-9-]+:\d{12}:parameter\/.+)$/,
    'an ARN of a Secrets Manager secret or of an SSM parameter; never the secret itself',
  );

const name = z.string().min(1).max(128);
const description = z.string().max(128).optional();

const MAX_PORT = 65_535;
/** Of `host:port`, or of a URL, which may have none. */
function hasPort(address: string): boolean {
  const port = /^(?:[a-z]+:\/\/)?[^/:]+:(\d+)/.exec(address)?.[1];
  return port === undefined || (Number(port) >= 1 && Number(port) <= MAX_PORT);
}
const PORT_RULE = `a port from 1 to ${MAX_PORT}`;

/** host:port, exactly one: the RocketMQ client knows no lists. */
const Endpoint = z
  .string()
  .max(260)
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?:\d{1,5}$/, 'host:port, exactly one name or IPv4 address')
  .refine(hasPort, PORT_RULE);

/** It travels as a gRPC header (`x-mq-namespace`), which takes no other characters. */
const Namespace = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 printable ASCII characters without spaces');

/** AWS IoT Core of the stack's own account, in any region. */
export const AwsIotCluster = z.strictObject({
  kind: z.literal('aws-iot'),
  name,
  description,
  region: Region,
});

/** Any MQTT 3.1.1 or 5 broker. */
export const MqttCluster = z.strictObject({
  kind: z.literal('mqtt'),
  name,
  description,
  region: Region,
  url: z
    .string()
    .max(1024)
    .regex(
      /^(mqtts?|wss?):\/\/[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?(\/[^\s@]*)?$/,
      'mqtt://, mqtts://, ws:// or wss://, a host, a port; no user name or password',
    )
    .refine(hasPort, PORT_RULE),
  secretRef: SecretRef.optional(),
});

/** A RocketMQ 5 with a gRPC endpoint: Apache, TDMQ for RocketMQ 5.x, ApsaraMQ 5.x. */
export const RocketmqCluster = z.strictObject({
  kind: z.literal('rocketmq'),
  name,
  description,
  region: Region,
  endpoint: Endpoint,
  tls: z.boolean().default(false),
  secretRef: SecretRef.optional(),
  /** host:port of the Apache name server: opens the admin functions (topics, groups, lag). */
  nameServer: Endpoint.optional(),
  namespace: Namespace.optional(),
  /** Whether many messages may travel in one SendMessageRequest. `auto`: yes, one at a time once the cluster refuses it. */
  multiMessage: z.enum(['auto', 'on', 'off']).default('auto'),
});

/** Body of `PUT /clusters/{clusterId}`. */
export const ClusterInput = z.discriminatedUnion('kind', [AwsIotCluster, MqttCluster, RocketmqCluster]);
export type ClusterInput = z.infer<typeof ClusterInput>;

/** A registered cluster. */
export type Cluster = ClusterInput & {
  clusterId: string;
  version: number;
  createdAt: string;
  updatedAt: string;
};
export type RocketmqClusterRecord = Extract<Cluster, { kind: 'rocketmq' }>;

/** Message types of a RocketMQ topic (`message.type`). */
export const ROCKETMQ_MESSAGE_TYPES = ['NORMAL', 'FIFO', 'DELAY'] as const;
export type RocketmqMessageType = (typeof ROCKETMQ_MESSAGE_TYPES)[number];

/** Body of `PUT /clusters/{clusterId}/topics/{topic}`. */
export const TopicInput = z.strictObject({ type: z.enum(ROCKETMQ_MESSAGE_TYPES) });

/** A RocketMQ topic as registered by the user; at send the cluster's own route decides. */
export interface RegisteredTopic {
  clusterId: string;
  topic: string;
  type: RocketmqMessageType;
  createdAt: string;
  updatedAt: string;
}
