import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { SessionOptions } from '../../../lib/ports/mqtt-session.ts';
import {
  filtersOf,
  numbered,
  openSession,
  payloads,
  type TestSession,
} from '../../contract/mqtt-session/kit.ts';
import { publishPacket } from '../../helpers/mqtt-packets.ts';
import { availableBrokers, clusterOf, publishAll, sessionsAs, type TestBroker } from './session-brokers.ts';

jest.setTimeout(60_000);

// Each of these stands for a message that was lost in a trial, or that would be without being seen.
describe.each(await availableBrokers())('sessions on $name', ({ name, start }) => {
  let broker: TestBroker;
  let clientId: string;
  let topic: string;
  const open: TestSession[] = [];

  beforeAll(async () => {
    broker = await start(`mqtt-session-rules-${name}`);
  }, 180_000);
  afterAll(() => broker.stop());
  beforeEach(() => {
    clientId = `mqferry-${randomUUID().slice(0, 8)}`;
    topic = `t/${clientId}`;
  });
  afterEach(async () => {
    for (const { session } of open.splice(0)) await session.close({ endSession: true });
  });

  const connect = async (changes: Partial<SessionOptions> & { acceptAtOnce?: boolean } = {}) => {
    const session = await openSession(
      { sessions: sessionsAs(broker), cluster: broker.cluster },
      { clientId, topicFilters: [`${topic}/#`], ...changes },
    );
    open.push(session);
    return session;
  };
  const publish = (texts: readonly string[]) =>
    publishAll(
      broker.publisher,
      texts.map((text) => ({ topicName: `${topic}/a`, payload: Buffer.from(text) })),
    );
  const queued = async (texts: readonly string[], changes: Parameters<typeof connect>[0] = {}) => {
    await (await connect(changes)).session.close();
    await publish(texts);
    return await connect(changes);
  };

  it('acknowledges nothing by an old copy whose packet id is another message now', async () => {
    const first = await queued(numbered(10));
    await first.received(10);
    await first.session.close();
    const second = await connect({ acceptAtOnce: true });
    await second.received(10);
    await second.session.close();
    await publish(['new-0', 'new-1', 'new-2']);
    const third = await connect();
    await third.received(3);
    const idsOf = ({ deliveries }: TestSession) => deliveries.map(({ packetId }) => packetId);
    // HiveMQ begins again at 1, and there this shows something; Mosquitto counts on.
    if (name === 'HiveMQ') expect(idsOf(first)).toEqual(expect.arrayContaining(idsOf(third)));
    first.accept();
    second.accept();
    await third.quiet();
    await third.session.close();
    const fourth = await connect({ acceptAtOnce: true });
    await fourth.received(3);
    expect(payloads(fourth)).toEqual(['new-0', 'new-1', 'new-2']);
  });

  it('loses nothing of what a broker sends while it is being connected to', async () => {
    for (let round = 0; round < 5; round += 1) {
      const session = await queued(numbered(200), { acceptAtOnce: true });
      await session.received(200);
      expect(payloads(session)).toEqual(numbered(200));
      await session.session.close({ endSession: true });
    }
  });

  it('stands still behind one message that is not accepted, and then brings all others once', async () => {
    const session = await queued(numbered(400));
    await session.received(50);
    session.accept((_, index) => index > 0);
    await session.quiet();
    const untilThen = session.deliveries.length;
    session.acceptAtOnce();
    await session.received(400);
    await session.quiet();
    expect(payloads(session)).toEqual(numbered(400));
    // What HiveMQ has under way; Mosquitto goes on up to the receive maximum.
    expect(untilThen).toBe(name === 'HiveMQ' ? 50 : 400);
  });

  it('tells copies of overlapping filters apart: one is of the lowest', async () => {
    const topicFilters = [`${topic}/#`, `${topic}/+/x`, `${topic}/other`];
    const session = await connect({ topicFilters, acceptAtOnce: true });
    await publishAll(broker.publisher, [{ topicName: `${topic}/a/x`, payload: Buffer.from('x') }]);
    await session.received(1);
    await session.quiet();
    expect(filtersOf(session).sort()).toEqual(name === 'HiveMQ' ? [0] : [0, 1]);
  });

  it('keeps user properties as they were: order across names, repetition, empty ones', async () => {
    const session = await connect({ acceptAtOnce: true });
    const message = {
      topicName: `${topic}/up`,
      payload: Buffer.from('x'),
      qos: 0 as const,
      retain: false,
      userProperties: [
        ['9', '1'],
        ['b', ''],
        ['a', '2'],
        ['b', 'again'],
        ['1', '3'],
        ['__proto__', 'x'],
      ] as const,
    };
    broker.publisher.stream.write(publishPacket({ message, protocolVersion: 5 }));
    await session.received(1);
    expect(session.deliveries[0]?.message).toEqual(message);
  });

  it('carries a large message whole among small ones', async () => {
    const large = Buffer.alloc(3_000_000, 'large');
    await (await connect()).session.close();
    await publish(['before']);
    await publishAll(broker.publisher, [{ topicName: `${topic}/a`, payload: large }]);
    await publish(['behind']);
    const session = await connect({ acceptAtOnce: true });
    await session.received(3);
    expect(session.deliveries[1]?.message.payload.equals(large)).toBe(true);
    expect(payloads(session).filter((_, index) => index !== 1)).toEqual(['before', 'behind']);
  });

  // With Nagle's algorithm each window of 50 acknowledgements waits for 40 ms, so that no stretch of a drain is faster than
  // 1,200 messages a second. The best stretch counts, against twice that, since the machine may be busy with something else.
  it('drains a queue faster than acknowledgements that wait for each other would let it', async () => {
    const count = 5_000;
    const stretch = 500;
    const arrivedMs: number[] = [];
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    let accepting = Promise.resolve();
    await (await connect()).session.close();
    await publish(numbered(count));
    const session = await connect({
      onDelivery(delivery) {
        arrivedMs.push(performance.now());
        // Alone, so that one write follows another.
        accepting = accepting.then(() => turn()).then(() => delivery.accept());
      },
    });
    await session.until(() => arrivedMs.length >= count);
    const stretches = arrivedMs.slice(stretch).map((ms, index) => ms - (arrivedMs[index] ?? 0));
    // What comes first is acknowledged by TCP at once, whatever the algorithm.
    expect(stretch / (Math.min(...stretches.slice(stretch)) / 1_000)).toBeGreaterThan(2_400);
  });

  it('says that the connection is lost when the broker goes', async () => {
    const other = await start(`mqtt-session-gone-${name}`);
    const session = await openSession(
      { sessions: sessionsAs(other), cluster: other.cluster },
      { clientId, topicFilters: ['#'] },
    );
    await other.stop();
    expect(await session.closed()).toMatchObject({ reaction: 'retry', scope: 'cluster' });
    await session.session.close();
    expect(session.closings).toHaveLength(1);
  }, 180_000);

  it.each([
    ['a wrong password', () => ({ password: 'wrong' }), 'CREDENTIALS_REFUSED'],
    ['an unknown host', () => ({ url: 'mqtt://broker.invalid:1883' }), 'HOST_UNKNOWN'],
    // The broker takes the handshake for a bad packet and closes, which it may do for other reasons.
    [
      'TLS to a port without',
      () => ({ url: broker.cluster.url.replace('mqtt:', 'mqtts:') }),
      'CONNECT_UNANSWERED',
    ],
    ['a port that nobody listens on', () => ({ url: 'mqtt://127.0.0.1:1' }), 'TARGET_UNREACHABLE'],
  ])('says what is wrong with %s', async (_, change, code) => {
    const { url = broker.cluster.url, password = broker.password } = change() as {
      url?: string;
      password?: string;
    };
    const opening = openSession(
      { sessions: sessionsAs({ username: broker.username, password }), cluster: clusterOf(url) },
      { clientId, topicFilters: ['#'] },
    );
    await expect(opening).rejects.toMatchObject({ code, scope: 'cluster' });
  });
});
