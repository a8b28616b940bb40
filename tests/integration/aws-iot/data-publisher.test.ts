import { randomUUID } from 'node:crypto';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { afterAll } from '@jest/globals';
import { createDataEndpoints } from '../../../lib/adapters/aws-iot/data-endpoint.ts';
import { createDataPublishers } from '../../../lib/adapters/aws-iot/data-publisher.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import { describeMqttPublisher } from '../../contract/mqtt-publisher.ts';
import { emulatorConfig } from '../../helpers/aws-emulator.ts';
import { subscribe } from '../../helpers/mqtt-subscriber.ts';

const { endpoint, region, credentials } = emulatorConfig();
const endpoints = createDataEndpoints({
  clientOf: (name) => new IoTClient({ endpoint, region: name, credentials }),
});
const publishers = createDataPublishers({
  endpoints,
  clock: systemClock,
  emulatorUrl: endpoint,
  clientOf: (name, url) =>
    new IoTDataPlaneClient({ endpoint: url, region: name, credentials, maxAttempts: 1 }),
});

afterAll(() => publishers.close());

describeMqttPublisher(
  'AWS IoT data plane on the emulator',
  async () => {
    const topicPrefix = `test/${randomUUID()}`;
    const url = `ws://${new URL(endpoint).host}/mqtt`;
    const options = { wsOptions: { headers: { Host: await endpoints.hostOf(region) } } };
    const subscriber = await subscribe(url, `${topicPrefix}/#`, options, 1);
    const publisher = publishers.inRegion(region);
    return {
      publisher,
      topicPrefix,
      received: (count) => subscriber.received(count),
      async retained(topicName) {
        const late = await subscribe(url, topicName, options, 1);
        const [message] = await late.received(1);
        await late.close();
        return message;
      },
      async close() {
        await publisher.close();
        await subscriber.close();
      },
    };
  },
  { tooLargeBytes: 128 * 1024 + 1, keepsOrder: false },
);
