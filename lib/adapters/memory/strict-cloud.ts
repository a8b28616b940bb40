import type { IoTClient } from '@aws-sdk/client-iot';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { matches } from '../../domain/topics/topic-filter.ts';
import type { Clock } from '../../ports/clock.ts';
import { createStrictMappings, stateOf } from './strict-cloud-mappings.ts';
import type { StrictContext } from './strict-cloud-parts.ts';
import { createStrictQueues } from './strict-cloud-queues.ts';
import { createStrictRules } from './strict-cloud-rules.ts';

/** Called before and after a command takes effect; it may throw: a lost request, a lost answer, a killed process. */
export type CallHook = (when: 'before' | 'after', command: string) => void | Promise<void>;

export interface StrictCloudOptions {
  clock: Pick<Clock, 'now'>;
  random?: () => number;
  region?: string;
  accountId?: string;
  functionName: string;
  functionTimeoutSeconds?: number;
  /** Until then AWS IoT cannot assume the role of the rules. */
  roleReadyAtMs?: number;
  /** Any other has no endpoint. */
  regions?: readonly string[];
  /** How long SQS and Lambda do not know a new queue: AWS asks for a second of patience. */
  queueDelayMs?: number;
  hook?: CallHook;
}

/**
 * SQS, Lambda's mappings and AWS IoT's rules as strict as AWS is, behind clients of the SDK: what the emulator leaves out.
 * On the given clock nothing takes time, but everything has to wait for it: transient states of 5 to 60 s, names blocked
 * for 60 s, lists 10 s behind, throttles, a role that is not yet known.
 */
export function createStrictCloud(options: StrictCloudOptions) {
  const { clock, random = Math.random, region = 'eu-west-1', accountId = '123456789012', hook } = options;
  const { functionName, functionTimeoutSeconds = 30, roleReadyAtMs = 0, queueDelayMs = 0 } = options;
  const { regions = [region, 'eu-central-1', 'us-east-1', 'us-east-2'] } = options;
  const context: StrictContext = { clock, random, region, accountId, queueDelayMs };
  const queues = createStrictQueues(context);
  const queueOf = (arn: string) => queues.queues.get(arn.split(':').at(-1) ?? '');
  const mappings = createStrictMappings(context, { functionName, functionTimeoutSeconds }, (arn) =>
    queues.known(arn.split(':').at(-1) ?? ''),
  );
  const rulesByRegion = new Map<string, ReturnType<typeof createStrictRules>>();

  function rulesIn(ruleRegion: string): ReturnType<typeof createStrictRules> {
    const rules =
      rulesByRegion.get(ruleRegion) ??
      createStrictRules({ ...context, region: ruleRegion }, { roleReadyAtMs });
    rulesByRegion.set(ruleRegion, rules);
    return rules;
  }

  const client = <T>(handle: (command: object) => unknown): T => {
    const send = async (command: object) => {
      const { name } = command.constructor;
      await hook?.('before', name);
      const answer = handle(command);
      await hook?.('after', name);
      return answer;
    };
    return { send, destroy: () => undefined } as T;
  };

  return {
    sqs: client<SQSClient>(queues.handle),
    lambda: client<LambdaClient>(mappings.handle),
    iot: (ruleRegion: string) =>
      client<IoTClient>((command) => {
        if (!regions.includes(ruleRegion)) throw noSuchHost(`iot.${ruleRegion}.amazonaws.com`);
        return rulesIn(ruleRegion).handle(command);
      }),

    /** What is there, as it is and not as lists show it. */
    queues: () => queues.queues.all().map(({ value }) => value),
    mappings: () => mappings.all(),
    rules: (ruleRegion = region) => rulesIn(ruleRegion).all(),
    addMapping: mappings.add,
    addRule: (rule: Parameters<ReturnType<typeof createStrictRules>['add']>[0], ruleRegion = region) =>
      rulesIn(ruleRegion).add(rule),
    removeRule: (name: string, ruleRegion = region) => rulesIn(ruleRegion).remove(name),

    /** An MQTT message: into the queue of every enabled rule whose filter matches. Answers the names of these queues. */
    publish(topicName: string, ruleRegion = region): string[] {
      const reached: string[] = [];
      for (const rule of rulesIn(ruleRegion).all()) {
        const filter = / FROM '([^']+)'$/.exec(rule.payload.sql ?? '')?.[1];
        if (!rule.enabled || filter === undefined || !matches(filter, topicName, 'aws-iot')) continue;
        const url = rule.payload.actions?.[0]?.sqs?.queueUrl ?? '';
        const queue = queues.queues.get(url.split('/').at(-1) ?? '');
        if (queue === undefined) continue;
        queues.change(queue, { waiting: 1 });
        reached.push(queue.name);
      }
      return reached;
    },

    /** Changes how many messages a queue holds; its counts show it later. */
    change: (queueName: string, delta: { waiting?: number; inFlight?: number }) => {
      const queue = queues.queues.get(queueName);
      if (queue !== undefined) queues.change(queue, delta);
    },

    /** The batching function takes all that waits in queues with an enabled mapping. Answers how many messages. */
    consume(): number {
      let consumed = 0;
      for (const mapping of mappings.all()) {
        const queue = queueOf(mapping.queueArn);
        if (queue === undefined || stateOf(mapping) !== 'Enabled') continue;
        const waiting = queue.history.at(-1)?.waiting ?? 0;
        if (waiting > 0) queues.change(queue, { waiting: -waiting });
        consumed += waiting;
      }
      return consumed;
    },
  };
}

export type StrictCloud = ReturnType<typeof createStrictCloud>;

/** As Node says it. */
function noSuchHost(hostname: string): Error {
  const code = 'ENOTFOUND';
  return Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { code });
}
