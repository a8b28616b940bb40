import { afterEach, describe, expect, it } from '@jest/globals';
import type { Packet } from 'mqtt-packet';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';
import { errorOf, sampleMessage } from '../../../contract/mqtt-publisher.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { acceptAll, acknowledge, type FakeConnection, letIn } from '../../../helpers/fake-mqtt-broker.ts';
import { connectsTo, createPublisherWorld, publishesTo } from '../../../helpers/mqtt-publisher-world.ts';

const world = createPublisherWorld();

afterEach(() => world.close());

describe('MqttBrokerPublisher', () => {
  it('opens one connection for all who publish, with a clean start, and none before', async () => {
    const { broker, publish } = await world.open();
    expect(broker.packets).toEqual([]);
    const results = await Promise.all(['a', 'b', 'c'].map((topicName) => publish({ topicName })));
    expect(results).toEqual(results.map(() => ({ status: 'accepted' })));
    expect(connectsTo(broker)).toEqual([
      expect.objectContaining({ clean: true, protocolVersion: 5, clientId: 'mqferry-test' }),
    ]);
  });

  it('keeps no more in flight than the broker allows', async () => {
    const open = { count: 0, most: 0 };
    const { publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection, { receiveMaximum: 3 });
      if (packet.cmd !== 'publish') return;
      open.count += 1;
      open.most = Math.max(open.most, open.count);
      setImmediate(() => {
        open.count -= 1;
        acknowledge(packet, connection);
      });
    });
    await Promise.all(Array.from({ length: 50 }, () => publish()));
    expect(open.most).toBe(3);
  });

  it('lowers the QoS to what the broker has', async () => {
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection, { maximumQoS: 1 });
      else acceptAll(packet, connection);
    });
    await publish({ qos: 2 });
    expect(publishesTo(broker)).toEqual([expect.objectContaining({ qos: 1 })]);
  });

  it('holds retained messages that the broker would not keep', async () => {
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection, { retainAvailable: false });
      else acceptAll(packet, connection);
    });
    expect(errorOf(await publish({ retain: true }))).toMatchObject({
      code: 'RETAIN_UNSUPPORTED',
      reaction: 'hold',
      hint: expect.any(String),
    });
    expect(await publish()).toEqual({ status: 'accepted' });
    expect(publishesTo(broker)).toHaveLength(1);
  });

  it('sends nothing that is larger than the broker takes', async () => {
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection, { maximumPacketSize: 100 });
      else acceptAll(packet, connection);
    });
    const fits = { topicName: 'a', payload: Buffer.alloc(100 - 2 - 3 - 2 - 1) };
    expect(await publish(fits)).toEqual({ status: 'accepted' });
    const result = await publish({ ...fits, payload: Buffer.alloc(fits.payload.length + 1) });
    expect(errorOf(result)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', reaction: 'dead-letter' });
    expect(publishesTo(broker)).toHaveLength(1);
  });

  it.each([
    [0x10, undefined, undefined],
    [0x80, 'hold', 'PUBLISH_REFUSED'],
    [0x87, 'hold', 'ACCESS_DENIED'],
    [0x90, 'dead-letter', 'TOPIC_INVALID'],
    [0x97, 'throttle', 'TARGET_THROTTLED'],
  ])('takes the reason code %i of a PUBACK for what it is', async (reasonCode, reaction, code) => {
    const { publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'publish') acknowledge(packet, connection, reasonCode);
      else acceptAll(packet, connection);
    });
    const result = await publish();
    if (reaction === undefined) expect(result).toEqual({ status: 'accepted' });
    else expect(errorOf(result)).toMatchObject({ reaction, code, maybeStored: false });
  });

  it('goes through the four packets of QoS 2', async () => {
    const { broker, publish } = await world.open((packet, connection) => {
      acceptAll(packet, connection);
      const { messageId = 0 } = packet;
      if (packet.cmd === 'publish') connection.send({ cmd: 'pubrec', messageId });
      if (packet.cmd === 'pubrel') connection.send({ cmd: 'pubcomp', messageId });
    });
    expect(await publish({ qos: 2 })).toEqual({ status: 'accepted' });
    const [sent] = publishesTo(broker);
    expect(broker.packets.at(-1)).toMatchObject({ cmd: 'pubrel', messageId: sent?.messageId });
  });

  it('ends QoS 2 at a PUBREC that refuses', async () => {
    const { broker, publish } = await world.open((packet, connection) => {
      acceptAll(packet, connection);
      const { messageId = 0 } = packet;
      if (packet.cmd === 'publish') connection.send({ cmd: 'pubrec', messageId, reasonCode: 0x87 });
    });
    expect(errorOf(await publish({ qos: 2 })).code).toBe('ACCESS_DENIED');
    expect(broker.packets.filter(({ cmd }) => cmd === 'pubrel')).toEqual([]);
  });

  it('fails what is in flight when the connection is lost, sends it never again, and connects when asked', async () => {
    let isGone = false;
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'publish' && !isGone) {
        isGone = true;
        connection.close();
      } else acceptAll(packet, connection);
    });
    expect(errorOf(await publish({ topicName: 'lost' }))).toMatchObject({
      code: 'TARGET_UNAVAILABLE',
      reaction: 'retry',
      maybeStored: true,
    });
    expect(connectsTo(broker)).toHaveLength(1);
    expect(await publish({ topicName: 'next' })).toEqual({ status: 'accepted' });
    expect(publishesTo(broker).map(({ topic }) => topic)).toEqual(['lost', 'next']);
  });

  it('says which message the broker disconnected for, when only one was in flight', async () => {
    const { publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'publish' && packet.topic === 'forbidden') {
        connection.send({ cmd: 'disconnect', reasonCode: 0x87 });
        connection.close();
      } else acceptAll(packet, connection);
    });
    await publish({ topicName: 'fine' });
    expect(errorOf(await publish({ topicName: 'forbidden' }))).toMatchObject({
      code: 'ACCESS_DENIED',
      scope: 'topic',
      maybeStored: false,
    });
  });

  it('finds the message that the broker disconnects for among many', async () => {
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'publish' && packet.topic === 'forbidden') {
        connection.send({ cmd: 'disconnect', reasonCode: 0x87 });
        connection.close();
      } else if (packet.cmd !== 'publish' || connectsTo(broker).length > 1) {
        acceptAll(packet, connection);
      }
    });
    const topics = ['a', 'forbidden', 'b', 'c'];
    const first = await Promise.all(topics.map((topicName) => publish({ topicName })));
    expect(first.map((result) => errorOf(result))).toEqual(
      topics.map(() => expect.objectContaining({ reaction: 'retry', maybeStored: true })),
    );
    const second = await Promise.all(topics.map((topicName) => publish({ topicName })));
    expect(second.map(({ status }) => status)).toEqual(['accepted', 'failed', 'accepted', 'accepted']);
    expect(second[1]).toMatchObject({ error: { code: 'ACCESS_DENIED', scope: 'topic' } });
  });

  it('does not take an earlier attempt of its own for another client', async () => {
    let connects = 0;
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') {
        connects += 1;
        // The second attempt is never answered.
        if (connects !== 2) letIn(connection);
      } else if (connects === 3 && packet.cmd === 'publish') {
        connection.send({ cmd: 'disconnect', reasonCode: 0x8e });
      } else acceptAll(packet, connection);
    });
    expect(await publish()).toEqual({ status: 'accepted' });
    broker.connections[0]?.close();
    const thrownOut = await eventually(
      () => publish(),
      // The next attempt follows at once, and may have begun when the one before is told.
      (result) => connects >= 3 && result.status === 'failed' && result.error.code === 'CONNECTION_LOST',
      { timeoutMs: 12_000, what: 'the attempt without an answer is given up' },
    );
    expect(errorOf(thrownOut)).toMatchObject({
      code: 'CONNECTION_LOST',
      reaction: 'retry',
      maybeStored: true,
    });
    expect(await publish()).toEqual({ status: 'accepted' });
  }, 20_000);

  it('holds what is in flight and what waits when another client took its identifier', async () => {
    const { broker, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection, { receiveMaximum: 1 });
      if (packet.cmd !== 'publish') return;
      connection.send({ cmd: 'disconnect', reasonCode: 0x8e });
      connection.close();
    });
    const [inFlight, waiting] = await Promise.all([publish(), publish()]);
    expect([inFlight, waiting].map((result) => errorOf(result))).toEqual([
      expect.objectContaining({ code: 'CLIENT_ID_TAKEN', reaction: 'hold', maybeStored: true }),
      expect.objectContaining({ code: 'CLIENT_ID_TAKEN', reaction: 'hold', maybeStored: false }),
    ]);
    expect(connectsTo(broker)).toHaveLength(1);
  });

  it.each([
    [0x86, 'hold', 'CREDENTIALS_REFUSED'],
    [0x89, 'retry', 'TARGET_UNAVAILABLE'],
    [0x9f, 'throttle', 'TARGET_THROTTLED'],
  ])('fails what waits when CONNACK says %i', async (reasonCode, reaction, code) => {
    const { publisher, publish } = await world.open((packet, connection) => {
      if (packet.cmd !== 'connect') return;
      connection.send({ cmd: 'connack', sessionPresent: false, reasonCode });
      connection.close();
    });
    expect(errorOf(await publish())).toMatchObject({ reaction, code, maybeStored: false });
    await expect(publisher.check(Date.now() + 5_000)).rejects.toMatchObject({ code });
  });

  it('gives up at the deadline, and takes a connection on which nothing comes in for dead', async () => {
    const { broker, publisher } = await world.open((packet, connection) => {
      if (packet.cmd !== 'publish') acceptAll(packet, connection);
    });
    const result = await publisher.publish(sampleMessage('a'), { deadlineMs: Date.now() + 100 });
    expect(errorOf(result)).toMatchObject({ code: 'TARGET_TIMEOUT', reaction: 'retry', maybeStored: true });
    await eventually(
      async () => broker.connections.length,
      (open) => open === 0,
      {
        timeoutMs: 5_000,
        everyMs: 5,
        what: 'the connection is closed',
      },
    );
  });

  it('keeps a connection that answers others, and never takes a late answer for that of another message', async () => {
    const held: { packet: Packet; connection: FakeConnection }[] = [];
    const { broker, publisher, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'publish' && packet.topic === 'slow') held.push({ packet, connection });
      else acceptAll(packet, connection);
    });
    const slow = publisher.publish(sampleMessage('slow'), { deadlineMs: Date.now() + 100 });
    await broker.seen('publish', 1);
    await publish({ topicName: 'quick' });
    expect(errorOf(await slow).code).toBe('TARGET_TIMEOUT');
    for (const { packet, connection } of held) acknowledge(packet, connection);
    expect(await publish({ topicName: 'quick' })).toEqual({ status: 'accepted' });
    expect(broker.connections).toHaveLength(1);
    expect(new Set(publishesTo(broker).map(({ messageId }) => messageId)).size).toBe(3);
  });

  it('fails at its deadline what never left, as surely not stored', async () => {
    const { publisher } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection, { receiveMaximum: 1 });
    });
    const deadlines = [Date.now() + 60_000, Date.now() + 50];
    const [, waiting] = deadlines.map((deadlineMs) => publisher.publish(sampleMessage('a'), { deadlineMs }));
    expect(await waiting).toMatchObject({ error: { code: 'DEADLINE_PASSED', maybeStored: false } });
  });

  it('gives each message its time to be answered, however long it has waited for its turn', async () => {
    const answers: (() => void)[] = [];
    const { broker, publisher } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection, { receiveMaximum: 1 });
      else if (packet.cmd === 'publish') answers.push(() => acknowledge(packet, connection));
    });
    let nowMs = Date.now();
    const options = { deadlineMs: nowMs + 300, answerMs: 10_000 };
    const results = ['first', 'second'].map((topicName) =>
      publisher.publish(sampleMessage(topicName), options),
    );
    await broker.seen('publish', 1);
    // Shortly before the second one's deadline: what it waited for its turn is not taken from its time.
    await eventually(
      async () => {
        nowMs = Date.now();
        return nowMs;
      },
      () => nowMs > options.deadlineMs - 100,
      { timeoutMs: 5_000, everyMs: 5, what: 'the deadline is near' },
    );
    answers.shift()?.();
    await broker.seen('publish', 2);
    await eventually(
      async () => Date.now(),
      (now) => now > options.deadlineMs + 200,
      { timeoutMs: 5_000, everyMs: 5, what: 'the deadline has passed' },
    );
    answers.shift()?.();
    expect(await Promise.all(results)).toEqual([{ status: 'accepted' }, { status: 'accepted' }]);
    expect(connectsTo(broker)).toHaveLength(1);
  });

  it('fails what is not answered in its time, although its deadline is far', async () => {
    const { publisher } = await world.open((packet, connection) => {
      if (packet.cmd !== 'publish') acceptAll(packet, connection);
    });
    const result = publisher.publish(sampleMessage('a'), { deadlineMs: Date.now() + 60_000, answerMs: 100 });
    expect(errorOf(await result)).toMatchObject({ code: 'TARGET_TIMEOUT', maybeStored: true });
  });

  it('asks whether a message may still go when its turn comes, and not before', async () => {
    const answers: (() => void)[] = [];
    const { broker, publisher } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection, { receiveMaximum: 1 });
      else if (packet.cmd === 'publish') answers.push(() => acknowledge(packet, connection));
    });
    let isOurs = true;
    const options = { deadlineMs: Date.now() + 20_000, maySend: () => isOurs };
    const [first, second] = ['first', 'second'].map((topicName) =>
      publisher.publish(sampleMessage(topicName), options),
    );
    await broker.seen('publish', 1);
    isOurs = false;
    answers.shift()?.();
    expect(await first).toEqual({ status: 'accepted' });
    expect(await second).toMatchObject({ error: { code: 'NOT_SENT', maybeStored: false } });
    expect(publishesTo(broker)).toHaveLength(1);
  });

  it('sends nothing whose deadline has passed while the process slept', async () => {
    let sleptMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + sleptMs };
    const { broker, publish } = await world.open((packet, connection) => {
      // Between the message's wait for the connection and its sending.
      if (packet.cmd === 'connect') sleptMs = 30_000;
      acceptAll(packet, connection);
    }, clock);
    expect(errorOf(await publish())).toMatchObject({ code: 'DEADLINE_PASSED', maybeStored: false });
    expect(publishesTo(broker)).toEqual([]);
  });

  it('answers a check by a round trip on the connection it has', async () => {
    let isDead = false;
    const { publisher, publish } = await world.open((packet, connection) => {
      if (!isDead || packet.cmd === 'connect') acceptAll(packet, connection);
    });
    await publisher.check(Date.now() + 5_000);
    await publisher.check(Date.now() + 5_000);
    isDead = true;
    await expect(publisher.check(Date.now() + 100)).rejects.toMatchObject({ code: 'TARGET_TIMEOUT' });
    isDead = false;
    expect(await publish()).toEqual({ status: 'accepted' });
  });

  it('fails what is under way at its end, within bounds, though the broker says nothing', async () => {
    const { broker, publisher, publish } = await world.open((packet, connection) => {
      if (packet.cmd === 'connect') letIn(connection, { receiveMaximum: 1 });
    });
    const [inFlight, waiting] = [publish(), publish()];
    await broker.seen('publish', 1);
    await publisher.close();
    expect(errorOf(await inFlight).maybeStored).toBe(true);
    expect(errorOf(await waiting)).toMatchObject({ code: 'NOT_SENT', maybeStored: false });
    expect(broker.packets.at(-1)).toMatchObject({ cmd: 'disconnect' });
  });

  it('ends while it connects', async () => {
    const { broker, publisher, publish } = await world.open(() => undefined);
    const waiting = publish();
    await broker.seen('connect', 1);
    await publisher.close();
    expect(errorOf(await waiting).code).toBe('NOT_SENT');
  });
});
