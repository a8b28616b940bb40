import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { describeMqttSessions } from '../../contract/mqtt-session.ts';
import { availableBrokers, publishAll, sessionsAs, type TestBroker } from './session-brokers.ts';

jest.setTimeout(30_000);

describe.each(await availableBrokers())('$name', ({ name, start }) => {
  let broker: TestBroker;

  beforeAll(async () => {
    broker = await start(`mqtt-session-${name}`);
  }, 180_000);
  afterAll(() => broker.stop());

  // Mosquitto 2.0 closes the connection without a word.
  const lacks = { takeoverReason: name === 'Mosquitto' };
  const under = (only?: 4) => () => ({
    sessions: sessionsAs(broker, only),
    cluster: broker.cluster,
    publish: (messages: Parameters<typeof publishAll>[1]) => publishAll(broker.publisher, messages),
  });
  describeMqttSessions(`${name}, MQTT 5`, under(), lacks);
  describeMqttSessions(`${name}, MQTT 3.1.1`, under(4), { mqtt5: true, takeoverReason: true });
});
