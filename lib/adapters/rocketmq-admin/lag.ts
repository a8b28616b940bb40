import { z } from 'zod';
import { BridgeError } from '../../domain/errors/errors.ts';
import type { ConsumerLag, RocketmqAdmin } from '../../ports/rocketmq-admin.ts';
import type { BrokerClient } from './broker-client.ts';
import type { BrokerNames } from './broker-names.ts';
import { topicNotFound } from './errors.ts';
import { REQUEST } from './request-codes.ts';
import { storeTimeOf } from './stored-message.ts';

/** Keys are message queues, as JSON text. */
const QUEUE_ID = /"queueId":(\d+)/;
const QueueKey = z.string().regex(QUEUE_ID);
const ConsumeStats = z.object({
  offsetTable: z.record(
    QueueKey,
    z.object({ brokerOffset: z.number(), consumerOffset: z.number(), lastTimestamp: z.number() }),
  ),
});
const TopicStats = z.object({ offsetTable: z.record(QueueKey, z.object({ minOffset: z.number() })) });

/** A group that every broker knows, and that the administration's tools read with: reading with the task's own group would undo a reset. */
const READER_GROUP = 'TOOLS_CONSUMER';
/** Queues whose oldest unread message is looked at; one may be of 4 MiB. */
const MAX_LOOKS = 8;
/** Bit of `PullSysFlag`: the subscription is in the request. It does not wait and commits nothing. */
const WITH_SUBSCRIPTION = '4';

interface UnreadQueue {
  address: string;
  queueId: number;
  /** Of the oldest unread message. */
  offset: number;
  messages: number;
  /** Next to be handed out to the group. */
  consumerOffset: number;
  /** Store time of the last message that was read; 0: none. */
  lastReadAtMs: number;
}

/** The part of the port that counts what is unread. */
export function createLag({
  client,
  names,
}: {
  client: BrokerClient;
  names: BrokerNames;
}): Pick<RocketmqAdmin, 'lag'> {
  async function unreadOn(
    address: string,
    topic: string,
    group: string,
    doing: string,
  ): Promise<UnreadQueue[]> {
    const [consumed, stored] = await Promise.all([
      client.read(
        address,
        { code: REQUEST.GET_CONSUME_STATS, fields: { consumerGroup: group, topic } },
        ConsumeStats,
        doing,
      ),
      client.read(address, { code: REQUEST.GET_TOPIC_STATS, fields: { topic } }, TopicStats, doing),
    ]);
    return Object.entries(consumed?.offsetTable ?? {}).map(([key, queue]) => {
      // What was deleted unread, by its age, is not waiting.
      const offset = Math.max(queue.consumerOffset, stored?.offsetTable[key]?.minOffset ?? 0);
      const queueId = Number(QUEUE_ID.exec(key)?.[1]);
      const messages = Math.max(0, queue.brokerOffset - offset);
      const { consumerOffset, lastTimestamp: lastReadAtMs } = queue;
      return { address, queueId, offset, messages, consumerOffset, lastReadAtMs };
    });
  }

  /** Undefined: the broker does not let us look, or the message has gone meanwhile. */
  async function storedAtMs(
    { address, queueId, offset }: UnreadQueue,
    topic: string,
    doing: string,
  ): Promise<number | undefined> {
    const fields = {
      consumerGroup: READER_GROUP,
      topic,
      queueId: `${queueId}`,
      queueOffset: `${offset}`,
      maxMsgNums: '1',
      sysFlag: WITH_SUBSCRIPTION,
      commitOffset: '0',
      suspendTimeoutMillis: '0',
      subscription: '*',
      subVersion: '0',
      expressionType: 'TAG',
    };
    try {
      return storeTimeOf(await client.ask(address, { code: REQUEST.PULL_MESSAGE, fields }, doing));
    } catch (error) {
      // The age is an addition: the count is right without it.
      if (error instanceof BridgeError) return undefined;
      throw error;
    }
  }

  return {
    async lag({ rocketmqTopic, consumerGroup }): Promise<ConsumerLag> {
      const doing = `counting what consumer group ${consumerGroup} has not read of topic ${rocketmqTopic}`;
      const topic = names.wrap(rocketmqTopic);
      const addresses = await client.mastersOf(topic, doing);
      if (addresses === undefined) throw topicNotFound(rocketmqTopic, doing);
      const group = names.wrap(consumerGroup);
      const queues = await Promise.all(addresses.map((address) => unreadOn(address, topic, group, doing)));
      const known = queues.flat().filter(({ consumerOffset }) => consumerOffset >= 0);
      const position = known.reduce((sum, { consumerOffset }) => sum + consumerOffset, 0);
      const unread = queues.flat().filter(({ messages }) => messages > 0);
      const messages = unread.reduce((sum, queue) => sum + queue.messages, 0);
      const looks = unread.sort((a, b) => a.lastReadAtMs - b.lastReadAtMs).slice(0, MAX_LOOKS);
      const times = await Promise.all(looks.map((queue) => storedAtMs(queue, topic, doing)));
      const told = times.filter((time) => time !== undefined);
      return {
        messages,
        ...(told.length === 0 ? {} : { oldestStoredAtMs: Math.min(...told) }),
        read: { position, queues: known.length },
      };
    },
  };
}
