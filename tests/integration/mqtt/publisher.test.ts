import { afterAll, beforeAll } from '@jest/globals';
import { describeMqttPublisher } from '../../contract/mqtt-publisher.ts';
import { publisherUnderTest, startTestBroker } from './test-broker.ts';

const MAX_PACKET_BYTES = 300_000;

let broker: Awaited<ReturnType<typeof startTestBroker>>;

beforeAll(async () => {
  broker = await startTestBroker({ maxPacketBytes: MAX_PACKET_BYTES });
}, 180_000);
afterAll(() => broker.stop());

const under = (url: () => string) => async () => {
  const { username, password } = broker;
  return publisherUnderTest({
    publish: { url: url(), secret: { username, password } },
    subscribe: { url: broker.url, options: { username, password } },
  });
};

describeMqttPublisher(
  'HiveMQ over TCP',
  under(() => broker.url),
  { tooLargeBytes: MAX_PACKET_BYTES },
);
describeMqttPublisher(
  'HiveMQ over a websocket',
  under(() => broker.websocketUrl),
  {
    tooLargeBytes: MAX_PACKET_BYTES,
  },
);
