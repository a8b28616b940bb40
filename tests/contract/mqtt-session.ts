import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MqttMessage } from '../../lib/domain/message.ts';
import { withShare } from '../../lib/domain/topic-filter-syntax.ts';
import type { MqttClusterRecord } from '../../lib/ports/mqtt-publisher.ts';
import type { MqttSessions } from '../../lib/ports/mqtt-session.ts';
import { filtersOf, openSession, payloads, type TestSession } from './mqtt-session/kit.ts';

export interface SessionsUnderTest {
  sessions: MqttSessions;
  cluster: MqttClusterRecord;
  /** Publishes in order; resolves when the broker has taken all of them. */
  publish(
    messages: readonly (Pick<MqttMessage, 'topicName' | 'payload'> & Partial<MqttMessage>)[],
  ): Promise<void>;
  /** What the broker cannot do, beside what the port leaves open. */
  lacks?: { filterIndex?: boolean; takeoverReason?: boolean };
}

/**
 * What every broker's sessions promise. `under` is asked for each test; client identifiers and topics are fresh.
 *
 * Where messages stay unaccepted they were queued before: with one of them under way HiveMQ sends nothing that is published
 * later, and of what is queued 50.
 */
export function describeMqttSessions(name: string, under: () => SessionsUnderTest): void {
  describe(`MqttSessions, ${name}`, () => {
    let clientId: string;
    let topic: string;
    const open: TestSession[] = [];

    beforeEach(() => {
      clientId = `mqferry-${randomUUID().slice(0, 8)}`;
      topic = `t/${clientId}`;
    });
    afterEach(async () => {
      // One after the other: ending a session takes over whoever else has the client identifier.
      for (const { session } of open.splice(0)) await session.close({ endSession: true });
    });

    const connect = async (changes: Partial<Parameters<typeof openSession>[1]> = {}) => {
      const session = await openSession(under(), { clientId, topicFilters: [`${topic}/#`], ...changes });
      open.push(session);
      return session;
    };
    const publish = (texts: readonly string[], changes: Partial<MqttMessage> = {}) =>
      under().publish(
        texts.map((text) => ({ topicName: `${topic}/a`, payload: Buffer.from(text), ...changes })),
      );
    const queued = async (
      texts: readonly string[],
      changes: Partial<Parameters<typeof openSession>[1]> = {},
    ) => {
      await (await connect(changes)).session.close();
      await publish(texts);
      return await connect(changes);
    };
    const numbered = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

    it('delivers what is published, in order, and is not resumed at first', async () => {
      const session = await connect({ acceptAtOnce: true });
      expect(session.session.isResumed).toBe(false);
      await publish(numbered(200));
      await session.received(200);
      expect(payloads(session)).toEqual(numbered(200));
      expect(session.deliveries.every(({ isDuplicate, packetId }) => !isDuplicate && packetId)).toBe(true);
    });

    it('carries payload, topic and properties as they are', async () => {
      const session = await connect();
      const message = {
        topicName: `${topic}/ä/b c`,
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
      await under().publish([message, { topicName: `${topic}/empty`, payload: Buffer.alloc(0) }]);
      await session.received(2);
      expect(session.deliveries[0]?.message).toEqual({
        ...message,
        // Brokers count down while they hold a message [MQTT-3.3.2-6].
        expirySeconds: expect.any(Number),
      });
      expect(session.deliveries[1]?.message).toEqual({
        topicName: `${topic}/empty`,
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
        { maxPendingBytes: 4_000 },
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
      const session = await connect({ qos: 0, maxPendingBytes: 2_000 });
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

    it('ends the older connection when another takes over, and says so to it alone', async () => {
      const older = await connect();
      const newer = await connect();
      expect(await older.closed()).toMatchObject(
        under().lacks?.takeoverReason
          ? { reaction: 'retry', scope: 'cluster' }
          : { code: 'CLIENT_ID_TAKEN', reaction: 'hold', scope: 'cluster' },
      );
      await publish(['x']);
      await newer.received(1);
      expect(newer.closings).toEqual([]);
      expect(older.closings).toHaveLength(1);
    });

    it('says nothing of a takeover once it takes no more, and can still accept until then', async () => {
      const older = await queued(numbered(4));
      await older.received(4);
      older.session.stopTaking();
      older.accept((_, index) => index < 3);
      await publish(['late']);
      await older.quiet();
      const newer = await connect({ acceptAtOnce: true });
      await newer.received(2);
      expect(payloads(newer)).toEqual(['3', 'late']);
      expect(payloads(older)).toEqual(numbered(4));
      await older.session.close();
      expect(older.closings).toEqual([]);
    });

    it('tells which filter a message came by', async () => {
      const filters = [`${topic}/one/+`, `${topic}/two/#`];
      const session = await connect({ topicFilters: filters, acceptAtOnce: true });
      await under().publish(
        ['two/x/y', 'one/x', 'two'].map((rest) => ({
          topicName: `${topic}/${rest}`,
          payload: Buffer.from(rest),
        })),
      );
      await session.received(3);
      expect(filtersOf(session)).toEqual(
        under().lacks?.filterIndex ? [undefined, undefined, undefined] : [1, 0, 1],
      );
    });

    it('names the filter rightly of what was queued before the filters changed places', async () => {
      const filters = [`${topic}/one`, `${topic}/two`];
      await (await connect({ topicFilters: filters })).session.close();
      await under().publish(filters.map((topicName) => ({ topicName, payload: Buffer.from('queued') })));
      const session = await connect({
        topicFilters: filters.toReversed(),
        mustSubscribe: true,
        acceptAtOnce: true,
      });
      await session.received(2);
      expect(filtersOf(session)).toEqual(under().lacks?.filterIndex ? [undefined, undefined] : [1, 0]);
    });

    it('subscribes to changed filters and unsubscribes from removed ones', async () => {
      const [kept, removed, added] = ['kept', 'removed', 'added'].map((last) => `${topic}/${last}`);
      const before = [kept, removed] as string[];
      const after = [kept, added] as string[];
      await (await connect({ topicFilters: before })).session.close();
      const session = await connect({
        topicFilters: after,
        removedTopicFilters: [removed as string],
        mustSubscribe: true,
        acceptAtOnce: true,
      });
      await under().publish(
        [removed, added, kept].map((topicName) => ({
          topicName: topicName as string,
          payload: Buffer.from('after'),
        })),
      );
      await session.received(2);
      await session.quiet();
      expect(session.deliveries.map(({ message }) => message.topicName)).toEqual([added, kept]);
    });

    it('gets nothing more once unsubscribed, and what was queued before still', async () => {
      const session = await connect();
      await publish(['before']);
      await session.received(1);
      await session.session.unsubscribe();
      await publish(['after']);
      await session.quiet();
      expect(payloads(session)).toEqual(['before']);
      await session.session.close();
      const again = await connect();
      await again.received(1);
      await again.quiet();
      expect(payloads(again)).toEqual(['before']);
    });

    it('leaves nothing behind when the session is ended', async () => {
      const first = await connect();
      await publish(['unaccepted']);
      await first.received(1);
      await first.session.close({ endSession: true });
      await publish(['for nobody']);
      const second = await connect();
      expect(second.session.isResumed).toBe(false);
      await second.quiet();
      expect(payloads(second)).toEqual([]);
    });

    it.each([
      ['new-subscription', ['kept']],
      ['never', []],
    ] as const)('with retained "%s" gets %j of retained messages', async (retained, expected) => {
      await publish(['kept'], { retain: true });
      const session = await connect({ retained, acceptAtOnce: true });
      await session.received(expected.length);
      await publish(['live']);
      await session.received(expected.length + 1);
      expect(payloads(session)).toEqual([...expected, 'live']);
      await session.session.close();
      const resumed = await connect({ retained, mustSubscribe: true, acceptAtOnce: true });
      await publish(['later']);
      await resumed.received(1);
      await resumed.quiet();
      expect(payloads(resumed)).toEqual(['later']);
      await publish([''], { retain: true });
    });

    it('keeps the retain flag of a live message', async () => {
      const session = await connect({ acceptAtOnce: true });
      await publish(['live'], { retain: true });
      await session.received(1);
      expect(session.deliveries[0]).toMatchObject({ isRetained: false, message: { retain: true } });
      await publish([''], { retain: true });
    });

    it('shares a subscription between lanes, and gives a lane back together with what it holds', async () => {
      const shareName = clientId;
      const lanes = await Promise.all(
        [0, 1].map((lane) => connect({ clientId: `${clientId}-${lane}`, shareName, acceptAtOnce: true })),
      );
      await publish(numbered(60));
      const all = () => lanes.flatMap(payloads);
      await lanes[0]?.until(() => all().length >= 60);
      expect(all().sort()).toEqual(numbered(60).sort());
      await lanes[1]?.session.unsubscribe();
      await lanes[1]?.session.close({ endSession: true });
      await publish(numbered(60));
      await lanes[0]?.until(() => all().length >= 120);
      expect(all().sort()).toEqual([...numbered(60), ...numbered(60)].sort());
    });

    it('takes removed filters as they were subscribed, from its lane days too', async () => {
      const topicFilters = [`${topic}/#`];
      await (await connect({ shareName: clientId, topicFilters })).session.close();
      const alone = await connect({
        topicFilters,
        removedTopicFilters: topicFilters.map((topicFilter) => withShare(topicFilter, clientId)),
        mustSubscribe: true,
        acceptAtOnce: true,
      });
      await publish(['once']);
      await alone.received(1);
      await alone.quiet();
      expect(payloads(alone)).toEqual(['once']);
    });
  });
}
