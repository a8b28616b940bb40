import { setTimeout as delay } from 'node:timers/promises';
import { type Endpoints, type MessageView, SimpleConsumer } from 'rocketmq-client-nodejs';
import definitions from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import services from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';

export interface ReadOptions {
  /** host:port of the gRPC endpoint. */
  endpoint: string;
  rocketmqTopic: string;
  /** Must be orderly for a FIFO topic. */
  consumerGroup: string;
  count: number;
  /** With so many, a receive that brings nothing ends it. Default: `count`. */
  enough?: number;
  timeoutMs?: number;
  credentials?: { accessKey: string; secretKey: string };
}

const SILENT = { info() {}, warn() {}, error() {}, close() {} };
/** Most that one receive takes; the proxy clamps to it. */
const RECEIVE_MAX = 32;
const INVISIBLE_MS = 30_000;
const FOLLOW_AGAIN_MS = 200;
const REQUEST_TIMEOUT_MS = 5_000;
const ANSWERED = new Set<number>([definitions.Code.OK, definitions.Code.MULTIPLE_RESULTS]);

/** The official client without the defect that ends the process, a telemetry stream that errs after its end, and with one request for many acknowledgements. */
class CalmConsumer extends SimpleConsumer {
  override createTelemetryStream(endpoints: Endpoints) {
    const stream = super.createTelemetryStream(endpoints);
    const removeAll = stream.removeAllListeners.bind(stream);
    stream.removeAllListeners = (...events) => removeAll(...events).on('error', () => {});
    return stream;
  }

  /** Of what one receive has brought. Fails when all are refused; what single ones are refused for comes again. */
  async ackAll(views: readonly MessageView[]): Promise<void> {
    const [first] = views;
    if (first === undefined) return;
    const request = new services.AckMessageRequest()
      .setGroup(new definitions.Resource().setName(this.getConsumerGroup()))
      .setTopic(new definitions.Resource().setName(first.topic));
    for (const { messageId, receiptHandle } of views) {
      request.addEntries().setMessageId(messageId).setReceiptHandle(receiptHandle);
    }
    const answer = await this.ackMessageViaRpc(first.endpoints, request, REQUEST_TIMEOUT_MS);
    const { code, message } = answer.getStatus()?.toObject() ?? { code: 0, message: 'no status' };
    if (!ANSWERED.has(code)) throw new Error(`not acknowledged: ${code} ${message}`);
  }
}

/**
 * Reads and acknowledges messages with the official gRPC client until `count` have come, in the order of their coming.
 * Answers what came when time is up: the caller compares.
 */
export async function readMessages(options: ReadOptions): Promise<RocketmqMessage[]> {
  const { count, enough = count, timeoutMs = 30_000 } = options;
  const consumer = consumerOf(options);
  const messages: RocketmqMessage[] = [];
  const deadline = Date.now() + timeoutMs;
  await consumer.startup();
  try {
    while (messages.length < count && Date.now() < deadline) {
      const views = await consumer.receive(RECEIVE_MAX, INVISIBLE_MS);
      if (views.length === 0 && messages.length >= enough) break;
      messages.push(...views.map(toMessage));
      await consumer.ackAll(views);
    }
  } finally {
    await consumer.shutdown();
  }
  return messages;
}

/**
 * Goes on reading, and acknowledges what has come, until it is closed. Whatever goes wrong meanwhile is tried again: what was
 * not acknowledged comes once more.
 *
 * @param options.restMs - after a receive that brought not all it could: fewer requests for more messages each
 */
export async function followMessages(
  { restMs = 0, ...options }: Omit<ReadOptions, 'count' | 'enough' | 'timeoutMs'> & { restMs?: number },
  onMessage: (message: RocketmqMessage, bornAtMs: number) => void,
): Promise<{ close(): Promise<void> }> {
  const consumer = consumerOf(options);
  await consumer.startup();
  let isClosed = false;
  const following = (async () => {
    while (!isClosed) {
      try {
        const views = await consumer.receive(RECEIVE_MAX, INVISIBLE_MS);
        for (const view of views) onMessage(toMessage(view), bornAtMsOf(view));
        await consumer.ackAll(views);
        if (restMs > 0 && views.length < RECEIVE_MAX) await delay(restMs);
      } catch {
        await delay(FOLLOW_AGAIN_MS);
      }
    }
  })();
  return {
    async close() {
      isClosed = true;
      await following;
      await consumer.shutdown();
    },
  };
}

function consumerOf(options: Omit<ReadOptions, 'count' | 'enough' | 'timeoutMs'>): CalmConsumer {
  const { endpoint, rocketmqTopic, consumerGroup, credentials } = options;
  return new CalmConsumer({
    endpoints: endpoint,
    namespace: '',
    logger: SILENT,
    consumerGroup,
    subscriptions: new Map([[rocketmqTopic, '*']]),
    // The proxy waits 5 s at least, and so must the client.
    awaitDuration: 5_000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    ...(credentials && {
      sessionCredentials: { accessKey: credentials.accessKey, accessSecret: credentials.secretKey },
    }),
  });
}

/** When whoever sent it made this attempt. */
function bornAtMsOf({ bornTimestamp }: MessageView): number {
  return bornTimestamp?.getTime() ?? Date.now();
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
