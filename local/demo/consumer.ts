import { setTimeout as delay } from 'node:timers/promises';
import { type MessageView, SimpleConsumer } from 'rocketmq-client-nodejs';

export interface ConsumerOptions {
  endpoint: string;
  group: string;
  topic: string;
  onMessage: (message: MessageView) => void;
  /** Told of each failed receive; it is tried again. */
  onTrouble: (error: unknown) => void;
  signal: AbortSignal;
}

const MAX_MESSAGES = 16;
const INVISIBLE_MS = 15_000;
const STARTUP_TIMEOUT_MS = 20_000;
const PAUSE_AFTER_TROUBLE_MS = 1_000;

/**
 * A business system reading a topic in its own consumer group. Resolves when it is ready; it then reads until the signal
 * aborts.
 */
export async function startConsumer(options: ConsumerOptions): Promise<void> {
  const { endpoint, group, topic } = options;
  const consumer = new SimpleConsumer({
    endpoints: endpoint,
    namespace: '',
    consumerGroup: group,
    // One topic only: with more the client's startup may hang.
    subscriptions: new Map([[topic, '*']]),
    awaitDuration: 5_000,
    // Its own would write log files into the home folder.
    logger: { info: ignore, warn: ignore, error: ignore, close: ignore },
  });
  await Promise.race([consumer.startup(), failAfter(STARTUP_TIMEOUT_MS, options)]);
  void read(consumer, options);
}

async function read(
  consumer: SimpleConsumer,
  { onMessage, onTrouble, signal }: ConsumerOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const message of await consumer.receive(MAX_MESSAGES, INVISIBLE_MS)) {
        onMessage(message);
        await consumer.ack(message);
      }
    } catch (error) {
      if (signal.aborted) return;
      onTrouble(error);
      await delay(PAUSE_AFTER_TROUBLE_MS);
    }
  }
}

async function failAfter(timeoutMs: number, { group, signal }: ConsumerOptions): Promise<never> {
  await delay(timeoutMs, undefined, { signal, ref: false });
  throw new Error(`consumer group ${group} did not get ready within ${timeoutMs / 1000} s`);
}

function ignore(): void {}
