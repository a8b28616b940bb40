import { Producer } from 'rocketmq-client-nodejs';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';

const SILENT = { info() {}, warn() {}, error() {}, close() {} };
const IN_FLIGHT = 64;

/** The official client as its documentation uses it, at its best: one producer, 64 sends in flight. */
export async function startSingleSends(endpoint: string): Promise<{
  send(messages: readonly RocketmqMessage[]): Promise<void>;
  close(): Promise<void>;
}> {
  const producer = new Producer({
    endpoints: endpoint,
    namespace: '',
    logger: SILENT,
    maxAttempts: 1,
    requestTimeout: 10_000,
  });
  await producer.startup();
  return {
    async send(messages) {
      const iterator = messages.values();
      const lane = async () => {
        for (const { rocketmqTopic, body, tag, keys, properties } of iterator) {
          await producer.send({
            topic: rocketmqTopic,
            body,
            keys: [...keys],
            properties: new Map(properties),
            ...(tag === undefined ? {} : { tag }),
          });
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    },
    close: () => producer.shutdown(),
  };
}
