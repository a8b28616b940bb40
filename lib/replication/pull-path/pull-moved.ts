import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import { BridgeError } from '../../domain/errors/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageConsumers, ReceivedMessage } from '../../ports/message-consumer.ts';
import type { RocketmqAdmin } from '../../ports/rocketmq-admin.ts';

/** The filter of who names none. */
export const EVERYTHING = { type: 'tag', expression: '*' } as const;

const LOOK_EVERY_MS = 60_000;
const INVISIBLE_MS = 60_000;
/** At each look: enough for 3,200 messages; the next look goes on. */
const MAX_RECEIVES = 100;
const MAX_MESSAGES = 32;
const AWAIT_MS = 1_000;
const RETRY_MAX_TIMES = 1_000;

/** The group by which this reads; ours, whoever has named the other. */
export function movedGroupOf(consumerGroup: string): string {
  return `${consumerGroup}_moved`;
}

/**
 * RocketMQ moves what a group was given too often to a topic `%DLQ%<group>` of its own (protocol-design-rule 15). It does not
 * come to that with groups of ours, but may with one that a user has named. Whatever lies there becomes a dead letter here,
 * where somebody looks. Until the signal aborts.
 */
export async function drainMoved({
  consumers,
  source,
  admin,
  consumerGroup,
  keepDeadLetter,
  clock,
  logger,
  signal,
}: {
  consumers: MessageConsumers;
  source: RocketmqClusterRecord;
  admin: RocketmqAdmin | undefined;
  consumerGroup: string;
  keepDeadLetter(message: ReceivedMessage, error: BridgeError): Promise<void>;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const subscription = {
    rocketmqTopic: `%DLQ%${consumerGroup}`,
    consumerGroup: movedGroupOf(consumerGroup),
    filter: EVERYTHING,
  } as const;
  const error = movedAway();

  async function look(): Promise<void> {
    const consumer = await consumers.open(source, subscription);
    try {
      // Throws where the topic is not there, which is as it should be.
      await consumer.isFifo();
      await admin?.ensureGroup({
        consumerGroup: subscription.consumerGroup,
        isOrderly: false,
        retryMaxTimes: RETRY_MAX_TIMES,
      });
      for (let receives = 0; receives < MAX_RECEIVES && !signal.aborted; receives += 1) {
        const messages = await consumer.receive({
          maxMessages: MAX_MESSAGES,
          invisibleDurationMs: INVISIBLE_MS,
          awaitMs: AWAIT_MS,
          signal,
        });
        if (messages.length === 0) return;
        for (const message of messages) await keepDeadLetter(message, error);
        await consumer.ack(messages);
        logger.warn('messages that RocketMQ had moved away are dead letters now', {
          messages: messages.length,
        });
      }
    } finally {
      await consumer.close();
    }
  }

  while (!signal.aborted) {
    await look().catch((cause: unknown) => {
      if (cause instanceof BridgeError && cause.code === 'TOPIC_NOT_FOUND') return;
      // They stay where they are until the next look.
      logger.warn('the dead-letter topic of the group could not be read', { consumerGroup, error: cause });
    });
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

function movedAway(): BridgeError {
  return new BridgeError('RocketMQ had moved the message to the dead-letter topic of its consumer group', {
    code: 'MOVED_BY_ROCKETMQ',
    reaction: 'dead-letter',
    scope: 'message',
    hint: 'Let the task have a group of its own, or raise retryMaxTimes of the group.',
  });
}
