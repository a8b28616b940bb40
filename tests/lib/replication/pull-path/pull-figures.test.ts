import { describe, expect, it } from '@jest/globals';
import { createReadBalance } from '../../../../lib/control/figures/read-balance.ts';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { COUNT_NAMES, minuteOf, sumOf, totalsOf } from '../../../../lib/domain/figures/figures.ts';
import type { RocketmqAdmin } from '../../../../lib/ports/rocketmq-admin.ts';
import { createPullWorld, ORDERED } from '../../../helpers/pull-world.ts';
import { silentLogger } from '../../../helpers/silent-logger.ts';

const MINUTE_MS = 60_000;
const odd = new BrokerUnavailableError('unspecified error', { code: 'TARGET_ERROR' });

/** An admin port whose group was handed out what the test says. */
function createWorld(changes: { source?: object } = {}) {
  const group = { position: 0, waiting: 0 };
  const admin: Partial<RocketmqAdmin> = {
    ensureGroup: async () => undefined,
    resetPosition: async () => undefined,
    lag: async () => ({
      messages: group.waiting,
      ...(group.waiting === 0 ? {} : { oldestStoredAtMs: world.clock.now() - 7_000 }),
      read: { position: group.position, queues: 8 },
    }),
  };
  const world = createPullWorld({ ...changes, admin: admin as RocketmqAdmin });
  const readBalance = createReadBalance({
    figures: world.figures,
    queueCounter: { backlog: async () => undefined },
    clock: world.clock,
    logger: silentLogger,
  });
  return { world, group, read: () => readBalance(world.task) };
}

describe('figures of a pull lane', () => {
  it('are what was read, published and kept as dead letters, in balance with the group', async () => {
    const { world, group, read } = createWorld();
    const { lane } = await world.open();
    await world.clock.advance(MINUTE_MS);
    for (let number = 0; number < 20; number += 1) world.put(`${number}`);
    // The target topic is made of the key.
    for (let number = 0; number < 3; number += 1) world.put(`bad ${number}`, { keys: [] });
    group.position = 23;
    await world.clock.advance(9 * MINUTE_MS);
    const sum = await world.figures.totals(world.task.taskId);
    expect(totalsOf(sum)).toMatchObject({
      totals: { consumed: 23, replicated: 20, failed: 3, inFlight: 0 },
      countedTwice: 0,
    });
    expect(sumOf(sum.latencies.sync)).toBe(20);
    expect((await read()).balance).toMatchObject({
      witness: 'positions',
      balanced: true,
      counted: 23,
      witnessed: 23,
    });
    await lane.drain(1_000);
    await world.close(lane);
  });

  it('tell which messages failed, for good and for now', async () => {
    const { world } = createWorld();
    const { lane } = await world.open();
    world.publisher.decide(({ payload }) => (payload.toString() === 'odd' ? odd : undefined));
    const bad = world.put('bad', { keys: [] });
    const tried = world.put('odd');
    for (let step = 0; step < 10; step += 1) await world.clock.advance(500);
    const { errors } = await world.figures.totals(world.task.taskId);
    const deadLetters = await world.deadLetters.list(world.task.taskId, { limit: 10 });
    expect(errors).toHaveLength(2);
    expect(errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          outcome: 'dead-letter',
          code: 'TEMPLATE_VALUE_MISSING',
          sourceId: bad,
          deadLetterId: deadLetters.items[0]?.deadLetterId,
        }),
        expect.objectContaining({
          outcome: 'retried',
          code: 'TARGET_ERROR',
          sourceId: tried,
          targetTopic: expect.any(String),
        }),
      ]),
    );
    expect(JSON.stringify(errors)).not.toContain('"odd"');
    await world.close(lane);
  });

  it('count a message of a FIFO topic once, however often it comes, and leave what is left to the next owner', async () => {
    const { world } = createWorld({ source: { topic: ORDERED } });
    const first = await world.open();
    const orders = (text: string, group: string) =>
      world.put(text, { rocketmqTopic: ORDERED, messageGroup: group });
    world.publisher.decide(({ payload }) => (payload.toString() === 'stuck' ? odd : undefined));
    orders('stuck', 'a');
    orders('done', 'b');
    await world.clock.advance(90_000);
    await first.lane.drain(1_000);
    await world.close(first.lane);
    const totals = async () => totalsOf(await world.figures.totals(world.task.taskId));
    expect((await totals()).totals.inFlight).toBe(0);
    const { counts } = await world.figures.totals(world.task.taskId);
    expect(counts.takenBack).toBeGreaterThanOrEqual(1);
    const all = { fromMinute: 0, toMinute: minuteOf(world.clock.now()) };
    const minutes = await world.figures.read(world.task.taskId, all, 'minute');
    // What a scrape tells as a counter never becomes less.
    for (const { figures } of minutes) {
      for (const name of COUNT_NAMES) expect(figures.counts[name]).toBeGreaterThanOrEqual(0);
    }

    world.publisher.decide(() => undefined);
    const second = await world.open();
    await world.clock.advance(90_000);
    await second.lane.drain(1_000);
    await world.close(second.lane);
    expect(world.left(ORDERED)).toEqual([]);
    const { totals: after } = await totals();
    expect(after).toMatchObject({ inFlight: 0, failed: 0 });
    expect(after.consumed - after.replicated).toBe(0);
    // Each once; the one behind the gap may have gone out again.
    expect(after.consumed).toBeGreaterThanOrEqual(2);
    expect(after.consumed).toBeLessThanOrEqual(3);
  });

  it('tell the backlog as it was when the minute began, and nobody’s witness behind a filter', async () => {
    const { world, group, read } = createWorld({ source: { filter: { type: 'tag', expression: 'now' } } });
    const { lane } = await world.open();
    group.waiting = 4;
    await world.clock.advance(2 * MINUTE_MS);
    expect(await read()).toMatchObject({
      balance: { witness: 'none', balanced: true },
      backlog: { messages: 4, oldestAgeSeconds: 7, source: 'consumer-group' },
    });
    await world.close(lane);
  });
});
