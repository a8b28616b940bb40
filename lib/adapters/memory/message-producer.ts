import type { RocketmqMessageType } from '../../domain/clusters/cluster.ts';
import {
  type BridgeError,
  BrokerHoldError,
  BrokerUnavailableError,
  GroupStoppedError,
} from '../../domain/errors/errors.ts';
import type { RocketmqMessage } from '../../domain/messages/message.ts';
import { checkRocketmqMessage } from '../../domain/messages/rocketmq-limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MessageProducer, ProducerPool, SendResult } from '../../ports/message-producer.ts';

/** What the cluster says to one message: undefined takes it. A promise keeps the message waiting. */
export type Verdict = (
  message: RocketmqMessage,
) => BridgeError | undefined | Promise<BridgeError | undefined>;

export interface MemoryMessageProducer extends MessageProducer {
  /** What is stored in a topic, in the order of storing. */
  stored(rocketmqTopic: string): readonly RocketmqMessage[];
  /** How many calls of `send` came. */
  readonly sends: number;
  /** From now on asked for each message that passes the checks; a message that it fails with `maybeStored` is stored too. */
  decide(verdict: Verdict): void;
}

/** A RocketMQ cluster in memory with these topics; keeps the promises of the port, order and refusals included. */
export function createMemoryMessageProducer(options: {
  topics: Readonly<Record<string, RocketmqMessageType>>;
  clock: Clock;
}): MemoryMessageProducer {
  const topics = new Map(Object.entries(options.topics));
  const log = new Map<string, RocketmqMessage[]>();
  let verdict: Verdict = () => undefined;
  let sends = 0;
  let ids = 0;
  let closed = false;

  async function sendOne(message: RocketmqMessage, deadlineMs: number): Promise<SendResult> {
    const refused = checkRocketmqMessage(message) ?? topicError(topics.get(message.rocketmqTopic), message);
    const error = refused ?? late(options.clock.now(), deadlineMs) ?? (await verdict(message));
    if (error === undefined || error.maybeStored) {
      log.set(message.rocketmqTopic, [...(log.get(message.rocketmqTopic) ?? []), message]);
    }
    if (error !== undefined) return { status: 'failed', error };
    ids += 1;
    return { status: 'stored', messageId: `memory-${ids}` };
  }

  async function sendInOrder(
    messages: readonly RocketmqMessage[],
    deadlineMs: number,
  ): Promise<SendResult[]> {
    const results: SendResult[] = [];
    let first: BridgeError | undefined;
    for (const message of messages) {
      const result: SendResult =
        first === undefined
          ? await sendOne(message, deadlineMs)
          : { status: 'failed', error: stoppedBy(first) };
      if (result.status === 'failed') first ??= result.error;
      results.push(result);
    }
    return results;
  }

  return {
    stored: (rocketmqTopic) => log.get(rocketmqTopic) ?? [],
    get sends() {
      return sends;
    },
    decide: (next) => {
      verdict = next;
    },
    async send(rocketmqTopic, messages, { deadlineMs }) {
      if (closed) throw new Error('the producer is closed');
      const stranger = messages.find((message) => message.rocketmqTopic !== rocketmqTopic);
      if (stranger !== undefined) {
        throw new TypeError(
          `a message of topic ${stranger.rocketmqTopic} was given to a send to ${rocketmqTopic}`,
        );
      }
      sends += 1;
      const places = messages.map((message, place) => ({ message, place }));
      // A message without a group is a lane of its own.
      const lanes = Map.groupBy(places, ({ message, place }) => message.messageGroup ?? place);
      const results = new Map<number, SendResult>();
      await Promise.all(
        [...lanes.values()].map(async (lane) => {
          const answers = await sendInOrder(
            lane.map(({ message }) => message),
            deadlineMs,
          );
          for (const [position, { place }] of lane.entries()) {
            const answer = answers[position];
            if (answer !== undefined) results.set(place, answer);
          }
        }),
      );
      return places.flatMap(({ place }) => results.get(place) ?? []);
    },
    async check(rocketmqTopic, deadlineMs) {
      if (closed) throw new Error('the producer is closed');
      const error =
        late(options.clock.now(), deadlineMs) ?? (topics.has(rocketmqTopic) ? undefined : unknownTopic());
      if (error !== undefined) throw error;
    },
    async close() {
      closed = true;
    },
  };
}

/** Every cluster gets the same producer. */
export function createMemoryProducerPool(producer: MessageProducer): ProducerPool {
  return { producerFor: async () => producer, close: () => producer.close() };
}

function topicError(
  type: RocketmqMessageType | undefined,
  message: RocketmqMessage,
): BridgeError | undefined {
  if (type === undefined) return unknownTopic();
  if (type === (message.messageGroup === undefined ? 'NORMAL' : 'FIFO')) return undefined;
  return new BrokerHoldError(`sending to RocketMQ: the topic takes ${type} messages`, {
    code: 'TOPIC_TYPE_CHANGED',
    scope: 'topic',
  });
}

function unknownTopic(): BridgeError {
  return new BrokerHoldError('sending to RocketMQ: the topic does not exist', {
    code: 'TOPIC_NOT_FOUND',
    scope: 'topic',
  });
}

function late(nowMs: number, deadlineMs: number): BridgeError | undefined {
  if (nowMs < deadlineMs) return undefined;
  return new BrokerUnavailableError('sending to RocketMQ: no time is left', { code: 'DEADLINE_PASSED' });
}

function stoppedBy(cause: BridgeError): BridgeError {
  return new GroupStoppedError('sending to RocketMQ: an earlier message of the message group failed', {
    cause,
  });
}
