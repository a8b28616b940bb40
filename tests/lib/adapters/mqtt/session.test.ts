import { afterEach, describe, expect, it } from '@jest/globals';
import type { ISubscribePacket, Packet } from 'mqtt-packet';
import { mqttClientOptions } from '../../../../lib/adapters/mqtt/client-options.ts';
import { createMqttSessions } from '../../../../lib/adapters/mqtt/session.ts';
import { BrokerHoldError } from '../../../../lib/domain/errors/errors.ts';
import type { MqttMessage } from '../../../../lib/domain/messages/message.ts';
import type { SessionOptions } from '../../../../lib/ports/mqtt-session.ts';
import { openSession, payloads, type TestSession } from '../../../contract/mqtt-session/kit.ts';
import { eventually } from '../../../helpers/eventually.ts';
import {
  type FakeConnection,
  type FakeMqttBroker,
  letIn,
  startFakeMqttBroker,
} from '../../../helpers/fake-mqtt-broker.ts';
import { packetOf, publishPacket } from '../../../helpers/mqtt-packets.ts';

const PINGRESP = packetOf(0xd0);
const toEnd: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0)) await end();
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
const refuseVersion = ({ sendBytes }: FakeConnection) => sendBytes(packetOf(0x20, Buffer.from([0, 0x84, 0])));
const disconnect = (reasonCode: number) => packetOf(0xe0, Buffer.from([reasonCode, 0]));

/** A broker that lets everybody in and grants what it is asked; `more` says what it does beside, `codes` what it grants. */
function willing(
  more: (packet: Packet, connection: FakeConnection) => void = () => undefined,
  codes: readonly number[] = [1],
) {
  return startFakeMqttBroker((packet, connection) => {
    if (packet.cmd === 'connect') letIn(connection);
    if (packet.cmd === 'subscribe') grant(packet, connection, codes);
    if (packet.cmd === 'unsubscribe') {
      connection.send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted: [0] });
    }
    more(packet, connection);
  });
}

function grant(
  { messageId = 0 }: ISubscribePacket,
  connection: FakeConnection,
  codes: readonly number[],
): void {
  connection.send({ cmd: 'suback', messageId, granted: [...codes] });
}

async function open(
  broker: FakeMqttBroker,
  changes: Partial<SessionOptions> & { keepalive?: number; acceptAtOnce?: boolean } = {},
): Promise<TestSession> {
  toEnd.push(() => broker.close());
  const { keepalive = 30, ...options } = changes;
  const session = await openSession(under(broker.url, keepalive), {
    clientId: 'mqferry-1',
    topicFilters: ['t/#'],
    ...options,
  });
  toEnd.unshift(() => session.session.close());
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
    expect(await broker.seen('connect', 1)).toMatchObject([
      {
        clean: false,
        clientId: 'mqferry-1',
        properties: { sessionExpiryInterval: 1_209_600, receiveMaximum: 77 },
      },
    ]);
    expect(await broker.seen('subscribe', 1)).toMatchObject([
      { subscriptions: [{ topic: 't/#', qos: 1, nl: false, rap: true, rh: 2 }] },
    ]);
  });

  it.each<[string, (connection: FakeConnection) => void]>([
    // A broker of 3.1.1 answers in its own form.
    [
      'refuses version 5 in the words of 3.1.1',
      ({ sendBytes }) => sendBytes(packetOf(0x20, Buffer.from([0, 1]))),
    ],
    ['refuses version 5 in the words of 5', refuseVersion],
    ['closes the connection at version 5', ({ close }) => close()],
  ])('falls back to MQTT 3.1.1 when the broker %s', async (_, refuse) => {
    const broker = await startFakeMqttBroker((packet, connection) => {
      if (packet.cmd === 'connect') (packet.protocolVersion === 5 ? refuse : letIn)(connection);
      if (packet.cmd === 'subscribe') grant(packet, connection, [1]);
    });
    const session = await open(broker);
    expect(session.session.protocolVersion).toBe(4);
    const connects = broker.packets.filter(({ cmd }) => cmd === 'connect');
    expect(connects.at(-1)).toMatchObject({ protocolVersion: 4, clean: false });
  });

  it('refuses what needs MQTT 5 without taking a message of a broker that does not speak it', async () => {
    const broker = await startFakeMqttBroker((packet, connection) => {
      if (packet.cmd !== 'connect') return;
      if (packet.protocolVersion === 5) return connection.close();
      letIn(connection);
      connection.sendBytes(publishPacket({ message: messageOf('x'), packetId: 1, protocolVersion: 4 }));
    });
    const taken: unknown[] = [];
    const needsMqtt5 = () => new BrokerHoldError('overlap', { code: 'X', scope: 'cluster' });
    const opening = open(broker, { needsMqtt5, onDelivery: (delivery) => taken.push(delivery) });
    await expect(opening).rejects.toMatchObject({ code: 'X' });
    expect(taken).toEqual([]);
  });

  it.each<[string, (packet: Packet, connection: FakeConnection) => void]>([
    ['CONNACK', () => undefined],
    ['SUBACK', (packet, connection) => packet.cmd === 'connect' && letIn(connection)],
  ])('gives up at once, and does not come back, when it is abandoned before %s', async (_, answer) => {
    const broker = await startFakeMqttBroker(answer);
    const abandoning = new AbortController();
    const opening = open(broker, { signal: abandoning.signal });
    await broker.seen('connect', 1);
    abandoning.abort();
    await expect(opening).rejects.toMatchObject({ code: 'DEADLINE_PASSED' });
    await eventually(
      async () => broker.connections.length,
      (count) => count === 0,
      { timeoutMs: 5_000, everyMs: 20, what: 'the connection is gone' },
    );
    expect(broker.packets.filter(({ cmd }) => cmd === 'connect')).toHaveLength(1);
  });

  it('lets an open session alone when it is abandoned too late, but ends none any more', async () => {
    const broker = await willing();
    const abandoning = new AbortController();
    const { session, closings } = await open(broker, { signal: abandoning.signal });
    abandoning.abort();
    await session.unsubscribe();
    expect(closings).toEqual([]);
    await expect(session.close({ endSession: true })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' });
  });

  it('tells what is about to change before it does, and changes nothing when that fails', async () => {
    const broker = await willing();
    const failure = new BrokerHoldError('no', { code: 'X', scope: 'cluster' });
    await expect(open(broker, { beforeSubscribing: () => Promise.reject(failure) })).rejects.toBe(failure);
    expect(broker.packets.map(({ cmd }) => cmd)).not.toContain('subscribe');
  });

  it('unsubscribes behind a backlog that it does not take, and subscribes to nothing', async () => {
    const broker = await willing((packet, { sendBytes }) => {
      if (packet.cmd === 'connect') sendBytes(Buffer.concat([publish(1, 'a'), publish(2, 'b')]));
    });
    const session = await open(broker, { isLeaving: true, maxPendingBytes: 1, mustSubscribe: true });
    await session.session.unsubscribe();
    expect(session.deliveries).toEqual([]);
    expect(broker.packets.map(({ cmd }) => cmd)).not.toContain('subscribe');
  });

  it('subscribes to a filter that an earlier one overlaps once that one is granted', async () => {
    const granted: string[] = [];
    const broker = await startFakeMqttBroker((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection);
      if (packet.cmd !== 'subscribe') return;
      const topic = packet.subscriptions[0]?.topic ?? '';
      granted.push(topic);
      grant(packet, connection, [topic === 'a/+' ? 0x87 : 1]);
    });
    await expect(open(broker, { topicFilters: ['a/+', '+/b', 'c'] })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
    expect(granted).not.toContain('+/b');
  });

  it('takes a message that is sent again on a living connection once', async () => {
    const broker = await willing((packet, { sendBytes }) => {
      if (packet.cmd === 'subscribe')
        sendBytes(Buffer.concat([publish(1, 'a'), publish(2, 'b'), publish(1, 'a', true)]));
    });
    const session = await open(broker);
    await session.received(2);
    session.accept();
    expect(await broker.seen('puback', 2)).toMatchObject([{ messageId: 1 }, { messageId: 2 }]);
    await session.quiet();
    expect(payloads(session)).toEqual(['a', 'b']);
  });

  it('loses nothing that stands right behind CONNACK', async () => {
    const connack = packetOf(0x20, Buffer.from([1, 0, 0]));
    const broker = await startFakeMqttBroker((packet, { sendBytes }) => {
      if (packet.cmd === 'connect')
        sendBytes(Buffer.concat([connack, publish(1, 'a', true), publish(2, 'b')]));
    });
    const session = await open(broker, { acceptAtOnce: true });
    await broker.seen('puback', 2);
    expect(session.session.isResumed).toBe(true);
    expect(payloads(session)).toEqual(['a', 'b']);
  });

  it.each([
    [[0x87], { code: 'ACCESS_DENIED', reaction: 'hold', scope: 'topic' }],
    [[0x80], { code: 'SUBSCRIBE_REFUSED', reaction: 'hold' }],
    [[0], { code: 'SUBSCRIBE_QOS_LOWERED', reaction: 'hold', scope: 'topic' }],
  ])('names the filter when SUBACK says %j', async (codes, expected) => {
    const broker = await willing(undefined, codes);
    const refused = open(broker);
    await expect(refused).rejects.toMatchObject(expected);
    await expect(refused).rejects.toThrow('"t/#"');
  });

  it('gives up at its deadline when SUBACK does not come', async () => {
    const broker = await startFakeMqttBroker();
    toEnd.push(() => broker.close());
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
    const broker = await willing();
    const session = await open(broker);
    broker.connections[0]?.sendBytes(disconnect(reason));
    expect(await session.closed()).toMatchObject(expected);
    await session.session.close();
    expect(session.closings).toHaveLength(1);
  });

  it.each([
    // MQTT 3.1.1 takes over without a word, MQTT 5 does not.
    ['closes', 'close', 4, 'CONNECTION_CLOSED'],
    ['resets', 'reset', 4, 'CONNECTION_RESET'],
    ['closes', 'close', 5, 'CONNECTION_LOST'],
    ['resets', 'reset', 5, 'CONNECTION_LOST'],
  ] as const)(
    'says so when the broker %s the connection without a reason: %s, MQTT %i',
    async (_, how, version, code) => {
      const broker = await startFakeMqttBroker((packet, connection) => {
        if (packet.cmd === 'connect' && (packet.protocolVersion ?? 4) > version) refuseVersion(connection);
        else if (packet.cmd === 'connect') letIn(connection);
        if (packet.cmd === 'subscribe') grant(packet, connection, [1]);
      });
      const session = await open(broker);
      expect(session.session.protocolVersion).toBe(version);
      broker.connections.at(-1)?.[how]();
      expect(await session.closed()).toMatchObject({ code, reaction: 'retry' });
    },
  );

  it('does not take an earlier attempt of its own for another client', async () => {
    let isDeaf = true;
    const broker = await startFakeMqttBroker((packet, connection) => {
      if (packet.cmd === 'connect' && !isDeaf) letIn(connection);
      if (packet.cmd === 'subscribe') grant(packet, connection, [1]);
    });
    toEnd.push(() => broker.close());
    const world = under(broker.url);
    const options = { clientId: 'c', topicFilters: ['t'] };
    const soon = {
      ...world,
      sessions: { open: (all: SessionOptions) => world.sessions.open(all, Date.now() + 1_200) },
    };
    await expect(openSession(soon, options)).rejects.toMatchObject({ reaction: 'retry' });
    isDeaf = false;
    const session = await openSession(world, options);
    broker.connections.at(-1)?.sendBytes(disconnect(0x8e));
    expect(await session.closed()).toMatchObject({ code: 'CONNECTION_LOST', reaction: 'retry' });
  });

  it('ends a connection on which the broker has fallen silent', async () => {
    const broker = await willing((packet, connection) => {
      if (packet.cmd === 'pingreq' && broker.packets.filter(({ cmd }) => cmd === 'pingreq').length === 1) {
        connection.sendBytes(PINGRESP);
      }
    });
    const session = await open(broker);
    expect(await session.closed()).toMatchObject({ code: 'TARGET_TIMEOUT', reaction: 'retry' });
    expect(broker.packets.filter(({ cmd }) => cmd === 'pingreq')).toHaveLength(2);
  }, 15_000);

  it('does not open what ends before SUBACK', async () => {
    const broker = await startFakeMqttBroker((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection);
      if (packet.cmd === 'subscribe') connection.sendBytes(disconnect(0x8e));
    });
    await expect(open(broker)).rejects.toMatchObject({ code: 'CLIENT_ID_TAKEN' });
  });

  it('ends on bytes that are no MQTT, and says that a new connection may help', async () => {
    const broker = await willing();
    const session = await open(broker);
    broker.connections[0]?.sendBytes(packetOf(0x36, Buffer.from([0, 1, 97])));
    expect(await session.closed()).toMatchObject({ reaction: 'retry', scope: 'cluster' });
  });

  it('does not gather a packet that is too large for it, and says that a person has to see to it', async () => {
    const broker = await willing();
    const session = await open(broker);
    // The beginning of a packet of 256 MB.
    broker.connections[0]?.sendBytes(Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f, 0, 3]));
    expect(await session.closed()).toMatchObject({ reaction: 'hold', code: 'PACKET_TOO_LARGE' });
  });

  it('keeps the connection alive while it is not read', async () => {
    const broker = await willing((packet, { sendBytes }) => {
      // Behind the message that fills the bound stands every answer to a ping.
      if (packet.cmd === 'subscribe') sendBytes(publish(1, 'fills the bound'));
      if (packet.cmd === 'pingreq') sendBytes(PINGRESP);
    });
    const session = await open(broker, { maxPendingBytes: 1, keepalive: 1 });
    // Without care MQTT.js gives up 1.5 s after the first ping that it sees no answer to.
    await broker.seen('pingreq', 8);
    expect(session.closings).toEqual([]);
    session.accept();
    await broker.seen('puback', 1);
  });

  it('reads the secret anew after the broker refused it', async () => {
    let isRefusing = true;
    const broker = await willing();
    toEnd.push(() => broker.close());
    const refusing = await startFakeMqttBroker((_, { sendBytes }) =>
      sendBytes(packetOf(0x20, Buffer.from([0, 0x86, 0]))),
    );
    toEnd.push(() => refusing.close());
    const asked: boolean[] = [];
    const { cluster } = under(broker.url);
    const sessions = createMqttSessions({
      clock: Date,
      addressOf: async (_, { fresh, ...client }) => {
        asked.push(fresh);
        return mqttClientOptions({ url: isRefusing ? refusing.url : broker.url }, {}, client);
      },
    });
    const options = { clientId: 'c', topicFilters: ['t'] };
    await expect(openSession({ sessions, cluster }, options)).rejects.toMatchObject({
      code: 'CREDENTIALS_REFUSED',
    });
    isRefusing = false;
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
