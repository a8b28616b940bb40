import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { generate, type Packet } from 'mqtt-packet';
import { createDeliveryHold } from '../../faults/delivery-hold.ts';

const CLIENT = 'mqferry-01JD4YQ3V8F0G2H4J6K8M0N2P4-0';

/** One connection as a relay sees it, of which the hold hears what both sides say. */
function connection(hold: ReturnType<typeof createDeliveryHold>, clientId: string) {
  const [client, broker] = [quiet(), quiet()];
  let isMuted = false;
  hold.watch({
    client,
    broker,
    muteClient() {
      isMuted = true;
    },
  });
  const says = (socket: Socket, packet: Packet) =>
    socket.emit('data', generate(packet, { protocolVersion: 5 }));
  const session = { protocolId: 'MQTT', clean: false, keepalive: 0 } as const;
  says(client, { cmd: 'connect', clientId, protocolVersion: 5, ...session });
  says(broker, { cmd: 'connack', reasonCode: 0, sessionPresent: true });
  return {
    isMuted: () => isMuted,
    delivers: (topic: string, qos: 0 | 1 = 1) =>
      says(broker, {
        ...{ cmd: 'publish', topic, qos, dup: false, retain: false, payload: 'p', properties: {} },
        ...(qos === 0 ? {} : { messageId: 1 }),
      } as Packet),
  };
}

function quiet(): Socket {
  return new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() }) as Socket;
}

describe('createDeliveryHold', () => {
  it('holds one message, on every connection on which it comes', () => {
    const hold = createDeliveryHold();
    hold.begin(CLIENT);
    const first = connection(hold, CLIENT);
    first.delivers('faults/at-most-once', 0);
    expect(first.isMuted()).toBe(false);
    first.delivers('faults/1');
    expect(first.isMuted()).toBe(true);
    first.delivers('faults/2');
    first.delivers('faults/1');
    expect(hold.deliveries).toBe(1);

    const second = connection(hold, CLIENT);
    second.delivers('faults/2');
    expect(second.isMuted()).toBe(false);
    second.delivers('faults/1');
    expect(second.isMuted()).toBe(true);
    expect(hold.deliveries).toBe(2);
  });

  it('leaves other clients alone, connections from before, and all when it has ended', () => {
    const hold = createDeliveryHold();
    const before = connection(hold, CLIENT);
    hold.begin(CLIENT);
    before.delivers('faults/1');
    const other = connection(hold, 'another');
    other.delivers('faults/1');
    const own = connection(hold, CLIENT);
    hold.end();
    own.delivers('faults/1');
    const after = connection(hold, CLIENT);
    after.delivers('faults/1');
    expect([before, other, own, after].map((one) => one.isMuted())).toEqual([false, false, false, false]);
    expect(hold.deliveries).toBe(0);
  });
});
