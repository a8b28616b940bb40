import { type Endpoints, type MessageView, SimpleConsumer } from 'rocketmq-client-nodejs';
import type { RocketmqMessage } from '../../lib/domain/message.ts';

export interface ReadOptions {
  /** host:port of the gRPC endpoint. */
  endpoint: string;
  rocketmqTopic: string;
  /** Must be orderly for a FIFO topic. */
  consumerGroup: string;
  count: number;
  timeoutMs?: number;
  credentials?: { accessKey: string; secretKey: string };
}

const SILENT = { info() {}, warn() {}, error() {}, close() {} };
/** Most that one receive takes; the proxy clamps to it. */
const RECEIVE_MAX = 32;
const INVISIBLE_MS = 30_000;

/** The official client without the defect that ends the process: a telemetry stream that errs after its end. */
class CalmConsumer extends SimpleConsumer {
  override createTelemetryStream(endpoints: Endpoints) {
    const stream = super.createTelemetryStream(endpoints);
    const removeAll = stream.removeAllListeners.bind(stream);
    stream.removeAllListeners = (...events) => removeAll(...events).on('error', () => {});
    return stream;
  }
}

/**
 * Reads and acknowledges messages with the official gRPC client until `count` have come, in the order of their coming.
 * Answers what came when time is up: the caller compares.
 */
export async function readMessages(options: ReadOptions): Promise<RocketmqMessage[]> {
  const { endpoint, rocketmqTopic, consumerGroup, count, timeoutMs = 30_000, credentials } = options;
  const consumer = new CalmConsumer({
    endpoints: endpoint,
    namespace: '',
    logger: SILENT,
    consumerGroup,
    subscriptions: new Map([[rocketmqTopic, '*']]),
    // The proxy waits 5 s at least, and so must the client.
    awaitDuration: 5_000,
    requestTimeout: 5_000,
    ...(credentials && {
      sessionCredentials: { accessKey: credentials.accessKey, accessSecret: credentials.secretKey },
    }),
  });
  const messages: RocketmqMessage[] = [];
  const deadline = Date.now() + timeoutMs;
  await consumer.startup();
  try {
    while (messages.length < count && Date.now() < deadline) {
      for (const view of await consumer.receive(RECEIVE_MAX, INVISIBLE_MS)) {
        messages.push(toMessage(view));
        await consumer.ack(view);
      }
    }
  } finally {
    await consumer.shutdown();
  }
  return messages;
}

function toMessage(view: MessageView): RocketmqMessage {
  return {
    rocketmqTopic: view.topic,
    body: view.body,
    ...(view.tag ? { tag: view.tag } : {}),
    ...(view.messageGroup ? { messageGroup: view.messageGroup } : {}),
    keys: view.keys,
    properties: view.properties,
  };
}
