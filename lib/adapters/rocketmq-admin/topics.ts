import { z } from 'zod';
import { ROCKETMQ_MESSAGE_TYPES } from '../../domain/clusters/cluster.ts';
import { checkRocketmqTopic } from '../../domain/topics/rocketmq-names.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClusterTopic, RocketmqAdmin } from '../../ports/rocketmq-admin.ts';
import type { BrokerClient, Masters } from './broker-client.ts';
import type { BrokerNames } from './broker-names.ts';
import { noRouteYet, otherType } from './errors.ts';
import { REQUEST } from './request-codes.ts';

const TopicConfig = z.object({
  topicName: z.string(),
  readQueueNums: z.int().min(0),
  attributes: z.record(z.string(), z.string()).nullish(),
});
type TopicConfig = z.infer<typeof TopicConfig>;
const TopicConfigs = z.object({ topicConfigTable: z.record(z.string(), TopicConfig) });

/** Made without a type, or of one that we do not know. */
const MessageType = z.enum([...ROCKETMQ_MESSAGE_TYPES, 'UNSPECIFIED']).catch('UNSPECIFIED');
const ROUTE_TIMEOUT_MS = 8_000;
const ROUTE_POLL_MS = 50;
/** Beside what no user's topic may be called: of request-reply, of the proxy, and of client-side tracing. */
const SYSTEM_NAMES = /_REPLY_TOPIC$|^DefaultHeartBeatSyncerTopic$|^%SYS%/;

/** The part of the port that is about topics. */
export function createTopics({
  client,
  names,
  clock,
}: {
  client: BrokerClient;
  names: BrokerNames;
  clock: Clock;
}): Pick<RocketmqAdmin, 'listTopics' | 'createTopic' | 'getTopic'> {
  const configOn = (address: string, topic: string, doing: string) =>
    client.read(
      address,
      { code: REQUEST.GET_TOPIC_CONFIG, fields: { topic: names.wrap(topic) } },
      TopicConfig,
      doing,
    );

  /** Before anybody asks the proxy for the topic: it remembers for 20 s that there was none. */
  async function untilRouted(topic: string, doing: string): Promise<void> {
    const deadlineMs = clock.now() + ROUTE_TIMEOUT_MS;
    while ((await client.mastersOf(names.wrap(topic), doing)) === undefined) {
      if (clock.now() > deadlineMs) throw noRouteYet(topic, client.nameServer);
      await clock.sleep(ROUTE_POLL_MS);
    }
  }

  return {
    async listTopics() {
      const doing = 'listing topics';
      const masters = await client.masters(doing);
      const tables = await Promise.all(
        masters.addresses.map((address) =>
          client.read(address, { code: REQUEST.GET_ALL_TOPIC_CONFIG }, TopicConfigs, doing),
        ),
      );
      const configs = tables.flatMap((table) => Object.values(table?.topicConfigTable ?? {}));
      const ofUsers = configs.flatMap((config) => userTopic(config, masters, names));
      return [...Map.groupBy(ofUsers, ({ topic }) => topic)].map(([topic, same]) => merged(topic, same));
    },

    async createTopic({ topic, type, queues }) {
      const doing = `creating topic ${topic}`;
      const { addresses } = await client.masters(doing);
      const there = await Promise.all(addresses.map((address) => configOn(address, topic, doing)));
      const different = there.map((config) => config && typeOf(config)).find((had) => had && had !== type);
      if (different !== undefined) throw otherType(topic, different);
      const request = createRequest(names.wrap(topic), type, queues);
      const missing = addresses.filter((_, place) => there[place] === undefined);
      await Promise.all(missing.map((address) => client.ask(address, request, doing)));
      await untilRouted(topic, doing);
      const known = there.flatMap((config) => (config === undefined ? [] : [toTopic(config, topic)]));
      return known.length === 0 ? { topic, type, queues } : merged(topic, known);
    },

    async getTopic(topic) {
      const doing = `reading topic ${topic}`;
      const addresses = (await client.mastersOf(names.wrap(topic), doing)) ?? [];
      const configs = await Promise.all(addresses.map((address) => configOn(address, topic, doing)));
      const known = configs.flatMap((config) => (config === undefined ? [] : [toTopic(config, topic)]));
      return known.length === 0 ? undefined : merged(topic, known);
    },
  };
}

/** Read and write queues, always as many of both: clients fail on a difference. */
function createRequest(topic: string, type: string, queues: number) {
  return {
    code: REQUEST.UPDATE_AND_CREATE_TOPIC,
    fields: {
      topic,
      defaultTopic: 'TBW102',
      readQueueNums: `${queues}`,
      writeQueueNums: `${queues}`,
      perm: '6',
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: '0',
      order: 'false',
      attributes: `+message.type=${type}`,
    },
  };
}

function userTopic(config: TopicConfig, masters: Masters, names: BrokerNames): ClusterTopic[] {
  const topic = names.unwrap(config.topicName);
  const isUsers =
    topic !== undefined &&
    checkRocketmqTopic(config.topicName) === undefined &&
    !SYSTEM_NAMES.test(config.topicName) &&
    !masters.names.has(config.topicName);
  return isUsers ? [toTopic(config, topic)] : [];
}

function toTopic(config: TopicConfig, topic: string): ClusterTopic {
  return { topic, type: typeOf(config), queues: config.readQueueNums };
}

function typeOf({ attributes }: TopicConfig): ClusterTopic['type'] {
  return MessageType.parse(attributes?.['message.type']);
}

/** A topic as its brokers have it together. */
function merged(topic: string, same: readonly ClusterTopic[]): ClusterTopic {
  const [first] = same;
  const agree = first !== undefined && same.every(({ type }) => type === first.type);
  return {
    topic,
    type: agree ? first.type : 'UNSPECIFIED',
    queues: Math.max(...same.map(({ queues }) => queues)),
  };
}
