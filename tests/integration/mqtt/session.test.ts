import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import type { MqttSessions } from '../../../lib/ports/mqtt-session.ts';
import { describeMqttSessions } from '../../contract/mqtt-session.ts';
import { availableBrokers, publishAll, sessionsAs, type TestBroker } from './session-brokers.ts';

jest.setTimeout(30_000);

describe.each(await availableBrokers())('$name', ({ name, start }) => {
  let broker: TestBroker;
  let sessions: MqttSessions;

  beforeAll(async () => {
    broker = await start(`mqtt-session-${name}`);
    sessions = sessionsAs(broker);
  }, 180_000);
  afterAll(() => broker.stop());

  describeMqttSessions(`${name}, MQTT 5`, () => ({
    sessions,
    cluster: broker.cluster,
    publish: (messages) => publishAll(broker.publisher, messages),
    // Mosquitto 2.0 closes the connection without a word.
    lacks: { takeoverReason: name === 'Mosquitto' },
  }));
});
