import { afterAll, beforeAll, describe } from '@jest/globals';
import { findMosquitto } from '../../../local/mosquitto-packages.ts';
import { startMosquitto } from '../../../local/parts/mosquitto.ts';
import { describeMqttPublisher } from '../../contract/mqtt-publisher.ts';
import { homeOfBroker, publisherUnderTest, startTestBroker } from './test-broker.ts';

const MAX_PACKET_BYTES = 300_000;
const limits = { tooLargeBytes: MAX_PACKET_BYTES };

/** Publisher and subscriber as the broker's one user. */
const under =
  (broker: () => { url: string; username: string; password: string }, url = () => broker().url) =>
  () => {
    const { username, password } = broker();
    return publisherUnderTest({
      publish: { url: url(), secret: { username, password } },
      subscribe: { url: broker().url, options: { username, password } },
    });
  };

describe('HiveMQ', () => {
  let broker: Awaited<ReturnType<typeof startTestBroker>>;

  beforeAll(async () => {
    broker = await startTestBroker({ maxPacketBytes: MAX_PACKET_BYTES });
  }, 180_000);
  afterAll(() => broker.stop());

  const overWebsocket = under(
    () => broker,
    () => broker.websocketUrl,
  );
  describeMqttPublisher(
    'HiveMQ over TCP',
    under(() => broker),
    limits,
  );
  describeMqttPublisher('HiveMQ over a websocket', overWebsocket, limits);
});

const program = await findMosquitto();
if ('missing' in program) {
  process.stderr.write(`NOT RUN: MqttPublisher, Mosquitto: ${program.missing}\n`);
} else {
  describe('Mosquitto', () => {
    let broker: Awaited<ReturnType<typeof startMosquitto>>;

    beforeAll(async () => {
      broker = await startMosquitto({
        program,
        home: homeOfBroker(),
        configuration: [`max_packet_size ${MAX_PACKET_BYTES}`],
      });
    }, 60_000);
    afterAll(() => broker.process.stop());

    describeMqttPublisher(
      'Mosquitto over TCP',
      under(() => broker),
      limits,
    );
  });
}
