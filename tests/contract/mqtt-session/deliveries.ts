import { expect, it } from '@jest/globals';
import { type Lacks, numbered, payloads, type SessionWorld } from './kit.ts';

/** Messages, and what becomes of them until they are accepted. */
export function describeDeliveries(world: SessionWorld, lacks: Lacks): void {
  const { connect, publish, queued } = world;

  it('delivers what is published, in order, and is not resumed at first', async () => {
    const session = await connect({ acceptAtOnce: true });
    expect(session.session.isResumed).toBe(false);
    await publish(numbered(200));
    await session.received(200);
    expect(payloads(session)).toEqual(numbered(200));
    expect(session.deliveries.every(({ isDuplicate, packetId }) => !isDuplicate && packetId)).toBe(true);
  });

  it('carries payload, topic and properties as they are', async () => {
    const session = await connect({ acceptAtOnce: true });
    const message = {
      topicName: `${world.topic}/ä/b c`,
      payload: Buffer.from([0, 255, 128, 10]),
      qos: 1 as const,
      retain: false,
      userProperties: [
        ['k', 'v'],
        ['k', ''],
        ['z', 'ü'],
      ] as const,
      contentType: 'text/x',
      responseTopic: 'answer/here',
      correlationData: Buffer.from([0, 1, 254]),
      payloadFormat: 0 as const,
      expirySeconds: 600,
    };
    await world.publishMessages([message, { topicName: `${world.topic}/empty`, payload: Buffer.alloc(0) }]);
    await session.received(2);
    const { topicName, payload, qos, retain } = message;
    expect(session.deliveries[0]?.message).toEqual(
      lacks.mqtt5
        ? { topicName, payload, qos, retain, userProperties: [] }
        : // Brokers count down while they hold a message [MQTT-3.3.2-6].
          { ...message, expirySeconds: expect.any(Number) },
    );
    expect(session.deliveries[1]?.message).toEqual({
      topicName: `${world.topic}/empty`,
      payload: Buffer.alloc(0),
      qos: 1,
      retain: false,
      userProperties: [],
    });
  });

  it('gets what was not accepted again, marked as a duplicate, and what was accepted not', async () => {
    const first = await queued(numbered(10));
    await first.received(10);
    first.accept((_, index) => index < 7);
    await first.session.close();
    const second = await connect();
    expect(second.session.isResumed).toBe(true);
    await second.received(3);
    expect(payloads(second)).toEqual(numbered(10).slice(7));
    expect(second.deliveries.every(({ isDuplicate }) => isDuplicate)).toBe(true);
  });

  it('acknowledges in the order of arrival: what waits for an earlier one comes again', async () => {
    const first = await queued(numbered(10));
    await first.received(10);
    first.accept((_, index) => index !== 3);
    await first.session.close();
    const second = await connect();
    await second.received(7);
    expect(payloads(second)).toEqual(numbered(10).slice(3));
  });

  it('ignores what is accepted after the connection has ended', async () => {
    const first = await queued(numbered(10));
    await first.received(10);
    await first.session.close();
    const second = await connect();
    await second.received(10);
    first.accept();
    second.accept((_, index) => index < 2);
    await second.session.close();
    const third = await connect();
    await third.received(8);
    expect(payloads(third)).toEqual(numbered(10).slice(2));
  });

  it('keeps what is published while nobody is connected', async () => {
    await (await connect()).session.close();
    await publish(numbered(500));
    const session = await connect({ acceptAtOnce: true });
    await session.received(500);
    expect(payloads(session)).toEqual(numbered(500));
  });

  it('stops at maxPendingBytes and goes on when messages are accepted', async () => {
    const session = await queued(
      numbered(30).map((text) => text.padEnd(1_000)),
      { maxPendingBytes: 8_000 },
    );
    await session.received(4);
    await session.quiet();
    expect(session.deliveries).toHaveLength(4);
    session.accept();
    await session.received(8);
    session.acceptAtOnce();
    await session.received(30);
    expect(payloads(session).map((text) => text.trim())).toEqual(numbered(30));
  });

  it('bounds what comes with QoS 0 as well, which has no packet id', async () => {
    const session = await connect({ qos: 0, maxPendingBytes: 4_000 });
    await publish(numbered(8).map((text) => text.padEnd(1_000)));
    await session.received(2);
    await session.quiet();
    expect(session.deliveries).toHaveLength(2);
    session.acceptAtOnce();
    await session.received(8);
    expect(session.deliveries.map(({ packetId, message }) => [packetId, message.qos])).toEqual(
      numbered(8).map(() => [undefined, 0]),
    );
  });

  it('asks for no more than QoS 1', async () => {
    const session = await connect({ qos: 2, acceptAtOnce: true });
    await publish(['exactly once'], { qos: 2 });
    await session.received(1);
    expect(session.deliveries[0]?.message.qos).toBe(1);
  });
}
