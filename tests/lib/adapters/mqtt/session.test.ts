import { afterEach, describe, expect, it } from '@jest/globals';
import { mqttClientOptions } from '../../../../lib/adapters/mqtt/client-options.ts';
import { createMqttSessions } from '../../../../lib/adapters/mqtt/session.ts';
import { BrokerHoldError } from '../../../../lib/domain/errors.ts';
import type { MqttMessage } from '../../../../lib/domain/message.ts';
import type { SessionOptions } from '../../../../lib/ports/mqtt-session.ts';
import { openSession, payloads, type TestSession } from '../../../contract/mqtt-session/kit.ts';
import {
  connackPacket,
  packetOf,
  publishPacket,
  subackPacket,
  subackPacket311,
} from '../../../helpers/mqtt-packets.ts';
import {
  type BrokerSide,
  type ClientPacket,
  type ScriptedBroker,
  startScriptedBroker,
} from '../../../helpers/scripted-mqtt-broker.ts';

const CONNECT = 1;
const PUBACK = 4;
const SUBSCRIBE = 8;
const PINGREQ = 12;
/** Position of the protocol level in the body of a CONNECT. */
const LEVEL = 6;

const broken: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of broken.splice(0)) await end();
});

const messageOf = (text: string): MqttMessage => ({
  topicName: 't/a',
  payload: Buffer.from(text),
  qos: 1,
  retain: false,
  userProperties: [],
});
const publish = (packetId: number, text: string, dup = false) =>
  publishPacket({ message: messageOf(text), packetId, dup, protocolVersion: 5 });
const packetIdOf = ({ body }: ClientPacket) => body.readUInt16BE(0);

/** A broker of MQTT 5 that lets everybody in and grants QoS 1; `more` says what it does beside. */
function willing(more: (packet: ClientPacket, side: BrokerSide) => void = () => undefined) {
  return startScriptedBroker((packet, side) => {
    if (packet.type === CONNECT) side.send(connackPacket(0));
    if (packet.type === SUBSCRIBE) side.send(subackPacket(packetIdOf(packet), [1]));
    more(packet, side);
  });
}

async function open(
  broker: ScriptedBroker,
  changes: Partial<SessionOptions> & { keepalive?: number; acceptAtOnce?: boolean } = {},
): Promise<TestSession> {
  broken.push(() => broker.stop());
  const { keepalive = 30, ...options } = changes;
  const session = await openSession(under(broker.url, keepalive), {
    clientId: 'mqferry-1',
    topicFilters: ['t/#'],
    ...options,
  });
  broken.unshift(() => session.session.close());
  return session;
}

function under(url: string, keepalive = 30) {
  const sessions = createMqttSessions({
    clock: Date,
    addressOf: async (_, { clientId, protocolVersion }) => {
      const { options } = mqttClientOptions({ url }, {}, { clientId, protocolVersion });
      return { url, options: { ...options, keepalive } };
    },
  });
  const cluster = {
    kind: 'mqtt' as const,
    name: 'Scripted',
    region: 'eu-west-1',
    url,
    clusterId: 'scripted',
    version: 1,
    createdAt: '',
    updatedAt: '',
  };
  return { sessions, cluster };
}

describe('createMqttSessions', () => {
  it('asks for a session that stays, with its receive maximum, and subscribes as its options say', async () => {
    const broker = await willing();
    await open(broker, { receiveMaximum: 77, retained: 'never' });
    const [connect] = await broker.received(CONNECT);
    const [subscribe] = await broker.received(SUBSCRIBE);
    // Clean Start is bit 1 of the flags; then keep alive, properties: 0x11 expiry of 14 days, 0x21 receive maximum.
    expect(connect?.body.subarray(LEVEL, LEVEL + 12).toString('hex')).toBe('0500001e0811001275002100');
    expect(connect?.body[LEVEL + 12]).toBe(77);
    // Retain Handling 2, Retain As Published, QoS 1.
    expect(subscribe?.body.at(-1)).toBe(0b0010_1001);
  });

  it.each([
    [
      'refuses version 5 in the words of 3.1.1',
      (side: BrokerSide) => side.send(connackPacket(1, { properties: false })),
    ],
    ['refuses version 5 in the words of 5', (side: BrokerSide) => side.send(connackPacket(0x84))],
    ['closes the connection at version 5', (side: BrokerSide) => side.close()],
  ])('falls back to MQTT 3.1.1 when the broker %s', async (_, refuse) => {
    const broker = await startScriptedBroker((packet, side) => {
      if (packet.type === CONNECT && packet.body[LEVEL] === 5) refuse(side);
      else if (packet.type === CONNECT) side.send(connackPacket(0, { properties: false }));
      if (packet.type === SUBSCRIBE) side.send(subackPacket311(packetIdOf(packet), [1]));
    });
    const session = await open(broker);
    expect(session.session.protocolVersion).toBe(4);
    const connects = await broker.received(CONNECT);
    // Clean Session is bit 1 of the flags behind the level.
    expect(connects.at(-1)?.body.subarray(LEVEL, LEVEL + 2)).toEqual(Buffer.from([4, 0]));
  });

  it('takes a message that is sent again on a living connection once', async () => {
    const broker = await willing((packet, side) => {
      if (packet.type === SUBSCRIBE) side.send(publish(1, 'a'), publish(2, 'b'), publish(1, 'a', true));
    });
    const session = await open(broker);
    await session.received(2);
    session.accept();
    const acknowledged = await broker.received(PUBACK, 2);
    expect(acknowledged.map(packetIdOf)).toEqual([1, 2]);
    await session.quiet();
    expect(payloads(session)).toEqual(['a', 'b']);
  });

  it('loses nothing that stands right behind CONNACK', async () => {
    const broker = await startScriptedBroker((packet, side) => {
      if (packet.type !== CONNECT) return;
      side.send(connackPacket(0, { sessionPresent: true }), publish(1, 'a', true), publish(2, 'b'));
    });
    const session = await open(broker, { acceptAtOnce: true });
    await broker.received(PUBACK, 2);
    expect(session.session.isResumed).toBe(true);
    expect(payloads(session)).toEqual(['a', 'b']);
  });

  it.each([
    [[0x87], { code: 'ACCESS_DENIED', reaction: 'hold', scope: 'topic' }],
    [[0x80], { code: 'SUBSCRIBE_REFUSED', reaction: 'hold' }],
    [[0], { code: 'SUBSCRIBE_QOS_LOWERED', reaction: 'hold', scope: 'topic' }],
  ])('names the filter when SUBACK says %j', async (codes, expected) => {
    const broker = await startScriptedBroker((packet, side) => {
      if (packet.type === CONNECT) side.send(connackPacket(0));
      if (packet.type === SUBSCRIBE) side.send(subackPacket(packetIdOf(packet), codes));
    });
    const refused = open(broker);
    await expect(refused).rejects.toMatchObject(expected);
    await expect(refused).rejects.toThrow('"t/#"');
  });

  it('gives up at its deadline when SUBACK does not come', async () => {
    const broker = await startScriptedBroker((packet, side) => {
      if (packet.type === CONNECT) side.send(connackPacket(0));
    });
    broken.push(() => broker.stop());
    const { sessions, cluster } = under(broker.url);
    const opening = openSession(
      { cluster, sessions: { open: (options) => sessions.open(options, Date.now() + 300) } },
      { clientId: 'c', topicFilters: ['t'] },
    );
    await expect(opening).rejects.toMatchObject({ code: 'TARGET_TIMEOUT', reaction: 'retry' });
  });

  it.each([
    [0x8e, { code: 'CLIENT_ID_TAKEN', reaction: 'hold' }],
    [0x8b, { code: 'TARGET_UNAVAILABLE', reaction: 'retry' }],
    [0x97, { code: 'TARGET_THROTTLED', reaction: 'throttle' }],
  ])('says once why the broker disconnected us: %i', async (reason, expected) => {
    const broker = await willing((packet, side) => {
      if (packet.type === SUBSCRIBE) side.send(packetOf(0xe0, Buffer.from([reason, 0])));
    });
    const session = await open(broker);
    expect(await session.closed()).toMatchObject(expected);
    await session.session.close();
    expect(session.closings).toHaveLength(1);
  });

  it('ends on bytes that are no MQTT, and says that a new connection may help', async () => {
    const broker = await willing((packet, side) => {
      if (packet.type === SUBSCRIBE) side.send(packetOf(0x36, Buffer.from([0, 1, 97])));
    });
    const session = await open(broker);
    expect(await session.closed()).toMatchObject({ reaction: 'retry', scope: 'cluster' });
  });

  it('keeps the connection alive while it is not read', async () => {
    const broker = await willing((packet, side) => {
      // Behind the message that fills the bound stands every answer to a ping.
      if (packet.type === SUBSCRIBE) side.send(publish(1, 'fills the bound'));
      if (packet.type === PINGREQ) side.send(packetOf(0xd0));
    });
    const session = await open(broker, { maxPendingBytes: 1, keepalive: 1 });
    // Without care MQTT.js gives up 1.5 s after the first ping that it sees no answer to.
    await broker.received(PINGREQ, 8);
    expect(session.closings).toEqual([]);
    session.accept();
    await broker.received(PUBACK);
  });

  it('reads the secret anew after the broker refused it', async () => {
    const broker = await startScriptedBroker((packet, side, connection) => {
      if (packet.type === CONNECT) side.send(connackPacket(connection === 0 ? 0x86 : 0));
      if (packet.type === SUBSCRIBE) side.send(subackPacket(packetIdOf(packet), [1]));
    });
    broken.push(() => broker.stop());
    const asked: boolean[] = [];
    const { cluster } = under(broker.url);
    const sessions = createMqttSessions({
      clock: Date,
      addressOf: async (_, { fresh, ...client }) => {
        asked.push(fresh);
        return mqttClientOptions({ url: broker.url }, {}, client);
      },
    });
    const options = { clientId: 'c', topicFilters: ['t'] };
    await expect(openSession({ sessions, cluster }, options)).rejects.toMatchObject({
      code: 'CREDENTIALS_REFUSED',
    });
    const session = await openSession({ sessions, cluster }, options);
    expect(asked).toEqual([false, true]);
    await session.session.close();
  });

  it('throws what the address says without connecting', async () => {
    const error = new BrokerHoldError('no secret', { code: 'SECRET_NOT_FOUND', scope: 'cluster' });
    const sessions = createMqttSessions({ clock: Date, addressOf: () => Promise.reject(error) });
    const { cluster } = under('mqtt://127.0.0.1:1');
    const opening = openSession({ sessions, cluster }, { clientId: 'c', topicFilters: ['t'] });
    await expect(opening).rejects.toBe(error);
  });
});
