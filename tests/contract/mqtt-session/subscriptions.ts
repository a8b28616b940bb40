import { expect, it } from '@jest/globals';
import { withShare } from '../../../lib/domain/topics/topic-filter-syntax.ts';
import { filtersOf, type Lacks, numbered, payloads, type SessionWorld } from './kit.ts';

/** Filters, lanes. */
export function describeSubscriptions(world: SessionWorld, lacks: Lacks): void {
  const { connect, publish } = world;

  it('tells which filter a message came by', async () => {
    const filters = [`${world.topic}/one/+`, `${world.topic}/two/#`];
    const session = await connect({ topicFilters: filters, acceptAtOnce: true });
    await world.publishMessages(
      ['two/x/y', 'one/x', 'two'].map((rest) => ({
        topicName: `${world.topic}/${rest}`,
        payload: Buffer.from(rest),
      })),
    );
    await session.received(3);
    expect(filtersOf(session)).toEqual(lacks.mqtt5 ? [undefined, undefined, undefined] : [1, 0, 1]);
  });

  it('names the filter rightly of what was queued before the filters changed places', async () => {
    const filters = [`${world.topic}/one`, `${world.topic}/two`];
    await (await connect({ topicFilters: filters })).session.close();
    await world.publishMessages(filters.map((topicName) => ({ topicName, payload: Buffer.from('queued') })));
    const session = await connect({
      topicFilters: filters.toReversed(),
      mustSubscribe: true,
      acceptAtOnce: true,
    });
    await session.received(2);
    expect(filtersOf(session)).toEqual(lacks.mqtt5 ? [undefined, undefined] : [1, 0]);
  });

  it('takes what was queued by one filter alone for no copy once an earlier filter overlaps it', async () => {
    const [earlier, later] = [`${world.topic}/1/#`, `${world.topic}/+/x`];
    await (await connect({ topicFilters: [later] })).session.close();
    const message = { topicName: `${world.topic}/1/x`, payload: Buffer.from('queued') };
    await world.publishMessages([message]);
    const session = await connect({
      topicFilters: [earlier, later],
      mustSubscribe: true,
      acceptAtOnce: true,
    });
    await session.received(1);
    expect(filtersOf(session)).toEqual([undefined]);
    await world.publishMessages([message]);
    await session.received(2);
    await session.quiet();
    expect(filtersOf(session).includes(0)).toBe(lacks.mqtt5 !== true);
  });

  it('leaves a session without taking of it, and without subscribing', async () => {
    const backlog = await connect();
    await backlog.session.close();
    await publish(numbered(5));
    const leaving = await connect({ isLeaving: true, mustSubscribe: true });
    await leaving.session.unsubscribe();
    await publish(['after']);
    await leaving.quiet();
    expect(leaving.deliveries).toEqual([]);
    await leaving.session.close();
    const again = await connect({ acceptAtOnce: true });
    await again.received(5);
    await again.quiet();
    expect(payloads(again)).toEqual(numbered(5));
  });

  it('misses nothing of what filters before and after a change both match', async () => {
    const before = [`${world.topic}/#`];
    const after = [`${world.topic}/+`];
    await (await connect({ topicFilters: before })).session.close();
    const texts = numbered(200);
    const publishing = publish(texts);
    const session = await connect({
      topicFilters: after,
      removedTopicFilters: before,
      mustSubscribe: true,
      acceptAtOnce: true,
    });
    await publishing;
    await session.until(() => new Set(payloads(session)).size === texts.length);
    expect(new Set(payloads(session))).toEqual(new Set(texts));
  });

  it('subscribes to changed filters and unsubscribes from removed ones', async () => {
    const [kept, removed, added] = ['kept', 'removed', 'added'].map((last) => `${world.topic}/${last}`);
    const before = [kept, removed] as string[];
    const after = [kept, added] as string[];
    await (await connect({ topicFilters: before })).session.close();
    const session = await connect({
      topicFilters: after,
      removedTopicFilters: [removed as string],
      mustSubscribe: true,
      acceptAtOnce: true,
    });
    await world.publishMessages(
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

  it('shares a subscription between lanes, and gives a lane back together with what it holds', async () => {
    const shareName = world.clientId;
    const lanes = await Promise.all(
      [0, 1].map((lane) => connect({ clientId: `${world.clientId}-${lane}`, shareName, acceptAtOnce: true })),
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
    const topicFilters = [`${world.topic}/#`];
    await (await connect({ shareName: world.clientId, topicFilters })).session.close();
    const alone = await connect({
      topicFilters,
      removedTopicFilters: topicFilters.map((topicFilter) => withShare(topicFilter, world.clientId)),
      mustSubscribe: true,
      acceptAtOnce: true,
    });
    await publish(['once']);
    await alone.received(1);
    await alone.quiet();
    expect(payloads(alone)).toEqual(['once']);
  });
}
