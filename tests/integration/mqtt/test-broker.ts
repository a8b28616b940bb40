import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { IClientOptions } from 'mqtt';
import type { MqttSecret } from '../../../lib/adapters/mqtt/mqtt-secret.ts';
import { MqttBrokerPublisher } from '../../../lib/adapters/mqtt/publisher.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import { LOCAL_DIR } from '../../../local/layout.ts';
import { type MqttBrokerOptions, startMqttBroker } from '../../../local/parts/mqtt-broker.ts';
import type { PublisherUnderTest } from '../../contract/mqtt-publisher.ts';
import { subscribe } from '../../helpers/mqtt-subscriber.ts';

/** HiveMQ for one test file, in a folder of its own that goes with it. */
export async function startTestBroker(options: Omit<MqttBrokerOptions, 'home'> = {}) {
  const home = homeOfBroker();
  const broker = await startMqttBroker({ ...options, home });
  return {
    ...broker,
    home,
    async stop() {
      await broker.process.kill();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A folder of its own for a broker. */
export function homeOfBroker(): string {
  return path.join(LOCAL_DIR, 'test', `mqtt-${randomUUID()}`);
}

/** A publisher with a client identifier of its own. */
export function openPublisher({ url, secret }: { url: string; secret: MqttSecret }): MqttBrokerPublisher {
  const clientId = `test-${randomUUID()}`;
  return new MqttBrokerPublisher({ cluster: { url }, secret, clientId, clock: systemClock });
}

/** A publisher and a subscriber on one broker, which may be reached by different addresses. */
export async function publisherUnderTest(options: {
  publish: { url: string; secret: MqttSecret };
  subscribe: { url: string; options?: IClientOptions };
}): Promise<PublisherUnderTest> {
  const topicPrefix = `test/${randomUUID()}`;
  const { url, options: clientOptions } = options.subscribe;
  const subscriber = await subscribe(url, `${topicPrefix}/#`, clientOptions);
  const publisher = openPublisher(options.publish);
  return {
    publisher,
    topicPrefix,
    received: (count) => subscriber.received(count),
    async retained(topicName) {
      const late = await subscribe(url, topicName, clientOptions);
      const [message] = await late.received(1);
      await late.close();
      return message;
    },
    async close() {
      await publisher.close();
      await subscriber.close();
    },
  };
}
