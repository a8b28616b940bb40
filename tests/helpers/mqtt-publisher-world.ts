import type { Packet } from 'mqtt-packet';
import { MqttBrokerPublisher } from '../../lib/adapters/mqtt/publisher.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { OutgoingMqttMessage } from '../../lib/domain/messages/message.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { sampleMessage } from '../contract/mqtt-publisher.ts';
import {
  acceptAll,
  type FakeConnection,
  type FakeMqttBroker,
  startFakeMqttBroker,
} from './fake-mqtt-broker.ts';

/** Publishers on fake brokers, and their end. */
export function createPublisherWorld() {
  const toEnd: { close(): Promise<void> }[] = [];
  return {
    /** @param answer - of the broker; it lets in and takes everything without it */
    async open(
      answer: (packet: Packet, connection: FakeConnection) => void = acceptAll,
      clock: Clock = systemClock,
    ) {
      const broker = await startFakeMqttBroker(answer);
      const publisher = new MqttBrokerPublisher({
        cluster: { url: broker.url },
        secret: {},
        clientId: 'mqferry-test',
        clock,
      });
      toEnd.push(broker, publisher);
      return {
        broker,
        publisher,
        publish: (changes: Partial<OutgoingMqttMessage> = {}) =>
          publisher.publish(sampleMessage('a', changes), { deadlineMs: Date.now() + 20_000 }),
      };
    },
    async close() {
      for (const part of toEnd.splice(0).reverse()) await part.close();
    },
  };
}

export function connectsTo(broker: FakeMqttBroker) {
  return broker.packets.filter((packet) => packet.cmd === 'connect');
}

export function publishesTo(broker: FakeMqttBroker) {
  return broker.packets.filter((packet) => packet.cmd === 'publish');
}
