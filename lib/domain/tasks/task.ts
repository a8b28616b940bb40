import { z } from 'zod';
import { ClusterId } from '../clusters/cluster.ts';
import { PresenceOption } from './presence-option.ts';
import { RetryOption } from './retry-policy.ts';

/** Task names are unique per stage. */
export const TaskName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,200}$/, '1 to 200 of A-Z, a-z, 0-9, "_" and "-"')
  .meta({ example: 'charger-wills' });

/** A template: literal text with `${…}` expressions, see docs/mapping.md. Its syntax is checked by `parseTemplate`. */
const Template = z
  .string()
  .min(1)
  .max(1024)
  .meta({ description: 'Text with ${…} expressions', example: '${topic[2]}' });

const MqttSource = z.strictObject({
  clusterId: ClusterId,
  topicFilters: z
    .array(z.string().min(1).max(65_535))
    .min(1)
    .max(10)
    .meta({ description: 'MQTT topic filters; on the rule path one AWS IoT rule each' }),
});

const RocketmqSource = z.strictObject({
  clusterId: ClusterId,
  topic: z.string().min(1).max(127).meta({ description: 'A topic that is registered on the cluster' }),
  filter: z
    .strictObject({ type: z.enum(['tag', 'sql92']), expression: z.string().min(1).max(2048) })
    .optional()
    .meta({ description: 'Applied by RocketMQ: tags as in `a || b`, or a condition on properties' }),
  consumerGroup: z.string().min(1).max(120).optional().meta({
    description:
      'Of this task alone. Left out: `mqferry_<taskId>`. Has to exist where the cluster has no nameServer.',
  }),
  startFrom: z
    .union([z.enum(['latest', 'earliest']), z.iso.datetime()])
    .optional()
    .meta({ description: 'Where a new consumer group begins; a time in ISO 8601, UTC' }),
});

const RocketmqTarget = z.strictObject({
  clusterId: ClusterId,
  topic: Template,
  tag: Template.optional(),
  keys: z.array(Template).max(16).optional(),
  messageGroup: Template.optional(),
});

const MqttTarget = z.strictObject({
  clusterId: ClusterId,
  topic: Template,
  qos: z.union([z.literal(0), z.literal(1), z.literal(2), Template]).optional(),
  retain: z.union([z.boolean(), Template]).optional(),
});

/** How a task works; every default just works. Which path has which option: `rule-path-rules.ts` and its siblings. */
export const TaskOptions = z.strictObject({
  via: z.enum(['rule', 'session']).optional().meta({
    description:
      'rule: AWS IoT topic rules and the task’s own queue. session: a persistent MQTT session. Left out: rule for a source of kind aws-iot, session for one of kind mqtt. A source of kind rocketmq has none.',
  }),
  ordering: z.enum(['none', 'client', 'topic', 'key']).default('none').meta({
    description:
      'Session path: what stays in order, on a FIFO topic. The rule path keeps no order; a pull from a FIFO topic keeps it by itself. client is known to no path that keeps order.',
  }),
  batch: z
    .strictObject({
      maxMessages: z.int().min(1).max(2000).default(10),
      maxWaitSeconds: z.int().min(0).max(300).default(0),
    })
    .prefault({})
    .meta({
      description:
        'Messages at once. Rule path: above 10 AWS requires a window of at least 1 s, and on a quiet queue Lambda may then wait up to 20 s. The other paths have no window.',
    }),
  concurrency: z.int().min(2).max(1000).default(5).meta({
    description:
      'Rule path: at most so many invocations side by side for this task (AWS: at least 2). Pull path: so many receives.',
  }),
  whilePaused: z.enum(['buffer', 'broker', 'discard']).default('buffer').meta({
    description:
      'What is published during a pause. buffer: waits in the task’s own queue, up to 14 days. broker (session): waits in the broker’s session, as long as the broker keeps it. discard: is skipped. What is to be pulled waits in RocketMQ.',
  }),
  lanes: z.int().min(1).max(16).default(1).meta({
    description:
      'Session path: side-by-side sessions by shared subscription. Pull path: receivers. Tasks that keep an order have one.',
  }),
  qos: z
    .union([z.literal(0), z.literal(1)])
    .default(1)
    .meta({
      description:
        'Session path: QoS of the subscription; QoS 2 messages are carried as QoS 1. QoS 0 is at most once.',
    }),
  retained: z.enum(['new-subscription', 'never']).default('new-subscription').meta({
    description: 'Session path: whether retained messages are carried when a subscription is new',
  }),
  retain: z.enum(['keep', 'force', 'drop']).default('keep').meta({
    description:
      'MQTT target. keep: as the message carries it. force: always retained. drop: never. target.retain wins.',
  }),
  maxMessagesPerSecond: z.int().min(1).max(100_000).optional().meta({
    description: 'Pull path: at most so many messages per second of this task',
  }),
  maxAgeSeconds: z.int().min(1).max(1_209_600).optional().meta({
    description: 'A message older than this when it would be sent is dropped and counted as expired',
  }),
  retry: RetryOption.default({ preset: 'unlimited' }),
  presence: PresenceOption.optional(),
  propertyNames: z.enum(['native', 'alibaba', 'rocketmq-mqtt']).default('native').meta({
    description:
      'Names of RocketMQ properties that carry what MQTT has: ours, or those of another product’s consumers',
  }),
  maxHops: z.int().min(1).max(10).default(1).meta({
    description:
      'A message that tasks of this stack have carried so often is not carried again: the guard against loops',
  }),
  metrics: z.enum(['service', 'task']).default('service').meta({
    description:
      'CloudWatch metrics. service: the task counts into those of the service and of its direction. task: also metrics of its own, up to 13 at $0.30 a month each.',
  }),
  canary: z
    .strictObject({
      canaryTopic: z.string().min(1).max(127).optional().meta({
        description:
          'RocketMQ target: topic of type NORMAL where canaries end. Left out: the target is asked for its topic, and gets none',
      }),
    })
    .optional()
    .meta({
      description:
        'Each minute a canary takes the way of the messages; while it does not come through the task is degraded (CANARY_FAILED). It is in no figure. To an MQTT target it goes on mqferry/canary/<taskId>.',
    }),
  oversize: z.enum(['deadletter', 'envelope']).default('deadletter').meta({
    description:
      'What becomes of a message whose properties exceed RocketMQ’s limits: dead letter, or packed into the body',
  }),
});
export type TaskOptions = z.infer<typeof TaskOptions>;

/** What a user says of a task: body of `POST /tasks` without `startNow`, and what `PATCH` changes. */
export const TaskDefinition = z.strictObject({
  taskName: TaskName,
  description: z.string().max(128).optional(),
  source: z.union([MqttSource, RocketmqSource]),
  target: z.union([RocketmqTarget, MqttTarget]),
  options: TaskOptions.prefault({}),
});
export type TaskDefinition = z.infer<typeof TaskDefinition>;

/** The definition of a task that carries MQTT messages to RocketMQ (rule path, and later session path). */
export interface MqttToRocketmqDefinition extends TaskDefinition {
  source: z.infer<typeof MqttSource>;
  target: z.infer<typeof RocketmqTarget>;
}

/** The definition of a task that carries RocketMQ messages to MQTT (pull path). */
export interface RocketmqToMqttDefinition extends TaskDefinition {
  source: z.infer<typeof RocketmqSource>;
  target: z.infer<typeof MqttTarget>;
}

export type TaskDirection = 'mqtt-to-rocketmq' | 'rocketmq-to-mqtt';

/** The way its messages take: by topic rules and a queue, by MQTT sessions, or pulled from RocketMQ. */
export type TaskPath = 'rule' | 'session' | 'pull';

/** What the user asked for. */
export type DesiredState = 'running' | 'paused' | 'deleted';

/** What is true, as last seen. */
export const TASK_STATUSES = [
  'creating',
  'paused',
  'starting',
  'running',
  'degraded',
  'pausing',
  'failed',
  'deleting',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** Why a task has its status: stable code, a sentence, what to do about it, since when. */
export interface StatusReason {
  code: string;
  message: string;
  hint?: string;
  /** ISO 8601, UTC. */
  at: string;
  /**
   * Which end the data plane says so of; it alone takes it back. `target`: at the first message that arrives again, whoever carries it.
   * `source`: a lane, when it is connected again. `canary`: who judges canaries; what is known of an end takes its place.
   */
  about?: 'target' | 'source' | 'canary';
}

/** What converge has made for a task in the cloud, recorded after each step. */
export interface TaskResources {
  queue?: { url: string; arn: string; specHash: string };
  mapping?: { uuid: string; specHash: string; enabled: boolean };
  /** By rule number, which is the index of the filter in the definition. */
  rules: Readonly<Record<string, RuleRecord>>;
  /**
   * Epoch ms since when every rule of `rulesVersion` is enabled. Only copies received later may be skipped as overlaps:
   * before that the lower-numbered rule may not have been there to carry its copy.
   */
  rulesSettledAtMs?: number;
  rulesVersion?: number;
  /** Epoch ms of a request for the mapping whose answer was never recorded: a mapping may exist that is not named here. */
  mappingRequestedAtMs?: number;
  /** Epoch ms since when a removal has left nothing that puts messages into the queue: no rule, no lane. */
  inflowEndedAtMs?: number;
  /** Epoch ms since when every audit has found messages in the queue and the task not running. */
  bufferingSinceMs?: number;
  /** Epoch ms at which it was told that the oldest of them will be dropped by SQS before long. */
  bufferExpiringAtMs?: number;
  /** Session and pull path: what shifts were told last. Kept while the task may have something at its source. */
  shift?: ShiftRecord;
  /** The target is away for long: the mapping is disabled until it answers. */
  hold?: HoldRecord;
  /** Session path, running: messages wait in the queue, older than those that arrive now, or may do so. */
  overflow?: OverflowRecord;
}

/** What shifts do with a task; `none`: it is not on their roster, and what it has at its source (session, group) stays there. */
export type ShiftMode = 'forward' | 'buffer' | 'discard' | 'end' | 'none';

/** What converge tells shifts of a task. Recorded before they are told, so that no crash leaves a lane that nobody stops. */
export interface ShiftRecord {
  kind: Exclude<TaskPath, 'rule'>;
  mode: ShiftMode;
  version: number;
  lanes: number;
  /** Where the session or group is. */
  sourceClusterId: string;
  /** Epoch ms since when this is wanted of them. */
  sinceMs: number;
  /** The roster says so. */
  isTold: boolean;
  /** Session path: lanes from `lanes` up to before this number were there before, and have a session that is to be ended. */
  mostLanes: number;
  /** With mode `none`: what was carried out before, or given up. */
  cleared?: 'discard' | 'end';
}

export interface HoldRecord {
  /** Epoch ms since when nothing is tried. */
  sinceMs: number;
}

export interface OverflowRecord {
  /** Epoch ms since when, without an end. Absent: recorded by an earlier version. */
  sinceMs?: number;
  /** That it lasts was told. */
  isLastingTold?: true;
  /** Epoch ms of the first of the looks that have found the queue empty; absent: the last one did not. */
  emptyAtMs?: number;
}

export interface RuleRecord {
  name: string;
  region: string;
  topicFilter: string;
  specHash: string;
  enabled: boolean;
}

/** A task as it is stored: what is wanted (definition, desired) and what is true (status, resources), side by side. */
export interface Task {
  taskId: string;
  definition: TaskDefinition;
  direction: TaskDirection;
  /** Region of the source cluster at the time of the last definition: where the rules live. */
  sourceRegion: string;
  desired: DesiredState;
  status: TaskStatus;
  reason?: StatusReason;
  /** Number of the definition's revision, from 1. Also the ETag. */
  version: number;
  /** The version that converge has carried out. */
  observedVersion?: number;
  createdAt: string;
  updatedAt: string;
  /** First start; before it the rules are made but not enabled, so that nothing is buffered for a task nobody started. */
  startedAt?: string;
  /** Set by a deletion that was told to discard the backlog. */
  discardBacklog?: boolean;
  /** Session path: its lanes put messages into the task's queue, since the target does not take them. */
  overflowing?: boolean;
  resources: TaskResources;
}
