import { afterEach, describe, expect, it } from '@jest/globals';
import { errorOf } from '../../../contract/mqtt-publisher.ts';
import { acceptAll } from '../../../helpers/fake-mqtt-broker.ts';
import { connectsTo, createPublisherWorld } from '../../../helpers/mqtt-publisher-world.ts';

const world = createPublisherWorld();

afterEach(() => world.close());

describe('ProtocolChoice, of a publisher', () => {
  it('falls back when the broker refuses MQTT 5, remembers it, and drops the properties', async () => {
    let connects = 0;
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect' && packet.protocolVersion === 5) {
        // As a broker of 3.1.1 writes it: flags, return code 1.
        connection.sendBytes(Buffer.from([0x20, 2, 0, 1]));
        connection.close();
      } else {
        if (packet.cmd === 'publish') {
          connects += 1;
          if (connects === 2) return connection.close();
        }
        acceptAll(packet, connection);
      }
    });
    expect(await publish({ userProperties: [['a', 'b']] })).toEqual({ status: 'accepted' });
    expect(errorOf(await publish()).maybeStored).toBe(true);
    expect(await publish()).toEqual({ status: 'accepted' });
    expect(connectsTo(broker).map(({ protocolVersion }) => protocolVersion)).toEqual([5, 4, 4]);
  });

  it('falls back when the broker closes at MQTT 5 only', async () => {
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect' && packet.protocolVersion === 5) connection.close();
      else acceptAll(packet, connection);
    });
    expect(await publish()).toEqual({ status: 'accepted' });
    expect(connectsTo(broker).map(({ protocolVersion }) => protocolVersion)).toEqual([5, 4, 5, 4]);
  });

  it('stays with MQTT 5 when the broker was only starting', async () => {
    let closes = 1;
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect' && closes-- > 0) connection.close();
      else acceptAll(packet, connection);
    });
    expect(await publish()).toEqual({ status: 'accepted' });
    expect(connectsTo(broker).map(({ protocolVersion }) => protocolVersion)).toEqual([5, 4, 5]);
  });

  it('says that the broker does not answer when it answers no version', async () => {
    const { publish } = await world.open((_, connection) => connection.close());
    expect(errorOf(await publish())).toMatchObject({ code: 'CONNECT_UNANSWERED', reaction: 'retry' });
  });
});
