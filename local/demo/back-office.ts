import { Producer } from 'rocketmq-client-nodejs';

/** A business system that writes commands to a RocketMQ topic. */
export interface BackOffice {
  command(chargerId: string, command: object): Promise<void>;
}

const STARTUP_TIMEOUT_MS = 20_000;

/** Resolves when it can send. It holds timers of the client for as long as the process lives. */
export async function openBackOffice(endpoint: string, topic: string): Promise<BackOffice> {
  const producer = new Producer({
    endpoints: endpoint,
    namespace: '',
    topic,
    // Its own would write log files into the home folder.
    logger: { info: ignore, warn: ignore, error: ignore, close: ignore },
  });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(new Error(`the producer of ${topic} did not get ready within ${STARTUP_TIMEOUT_MS / 1000} s`)),
    STARTUP_TIMEOUT_MS,
  );
  try {
    await Promise.race([producer.startup(), late]);
  } finally {
    clearTimeout(timer);
  }
  return {
    async command(chargerId, command) {
      await producer.send({ topic, keys: [chargerId], body: Buffer.from(JSON.stringify(command)) });
    },
  };
}

function ignore(): void {}
