import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import type { LaneItem } from '../../../../lib/replication/session-path/session-item.ts';
import { createWayBack } from '../../../../lib/replication/session-path/session-way-back.ts';
import { createQueueDrain } from '../../../helpers/queue-drain.ts';
import { NOW_MS } from '../../../helpers/rule-path.ts';
import { createLaneWorld, orderedTask } from '../../../helpers/session-lane.ts';

const away = () => new BrokerUnavailableError('away');
const topicOf = (payload: string) => `stations/${payload.split('.')[0]}`;
const sequence = (group: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `${group}.${from + index}`);

/** An ordered lane whose target was away, with a group `a` that is published to without pause, and its batching function. */
async function busyLane(options: { everyMs?: number; receiveMaximum?: number } = {}) {
  const { everyMs = 50, receiveMaximum = 1_000 } = options;
  const world = createLaneWorld({ task: orderedTask(), receiveMaximum });
  const arrived: string[] = [];
  let seen = 0;
  const look = () => {
    const bodies = world.bodies('fifo', seen);
    arrived.push(...bodies);
    seen += bodies.length;
  };
  const queue = createQueueDrain(world, (body) => arrived.push(body));
  let next = 0;
  let step = 0;

  /** @param drained - records that the function takes each 200 ms */
  async function go(ms: number, drained: number): Promise<void> {
    for (const endMs = world.clock.now() + ms; world.clock.now() < endMs; step += 1) {
      if ((step * 50) % everyMs === 0) world.publish(sequence('a', 1, next++), topicOf);
      await world.pass(50);
      look();
      if (step % 4 === 0) await queue.drain(drained);
    }
  }

  const lane = world.open();
  await world.settle();
  world.producer.decide(away);
  await go(4_000, 0);
  return {
    world,
    lane,
    go,
    queue,
    look,
    arrived,
    published: () => sequence('a', next),
    queued: () => world.queued().length,
    marks: async () => (await world.groups.list(world.task.taskId)).length,
  };
}

/** Each look finds the queue a record behind. */
function staysBehind({ groups, queue, queueUrl }: ReturnType<typeof createLaneWorld>): void {
  const { read } = groups;
  groups.read = async (...given) => {
    const drainedPutId = queue.records(queueUrl).at(-2)?.putId ?? '';
    return (await read(...given)).map((mark) => ({ ...mark, drainedPutId }));
  };
}

describe('a busy ordered group', () => {
  // Calls that are never answered leave their timeouts behind.
  beforeAll(() => {
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
  });
  afterAll(() => {
    jest.useRealTimers();
  });

  it('leaves the queue within seconds once its backlog is settled, in order, and the overflow is told over', async () => {
    const { world, go, queue, arrived, published, marks, queued } = await busyLane();
    expect(queued()).toBeGreaterThan(30);
    world.producer.decide(() => undefined);
    // 50 records a second come out, 20 go in.
    await go(3_000, 10);
    expect(queue.left()).toBeLessThan(10);
    await go(3_000, 10);
    expect(await marks()).toBe(0);
    const before = queued();
    await go(12_000, 10);
    expect(queued()).toBe(before);
    expect(world.reports).toEqual([true, false]);
    expect(arrived).toEqual(published());
    expect(world.kept()).toBe(0);
  });

  it.each([100, 250, 500, 900])('comes back with a message each %i ms', async (everyMs) => {
    const { world, go, arrived, published, marks } = await busyLane({ everyMs });
    world.producer.decide(() => undefined);
    await go(12_000, 10);
    expect(await marks()).toBe(0);
    expect(arrived).toEqual(published());
  });

  it('comes back through a window of 16', async () => {
    const { world, go, arrived, published, marks } = await busyLane({ receiveMaximum: 16 });
    world.producer.decide(() => undefined);
    await go(15_000, 10);
    expect(await marks()).toBe(0);
    expect(arrived).toEqual(published());
  });

  it('comes back with 15 others, 100 messages a second together, through a window of 50', async () => {
    const world = createLaneWorld({ task: orderedTask(), receiveMaximum: 50 });
    const arrived: string[] = [];
    const published: string[] = [];
    let seen = 0;
    const queue = createQueueDrain(world, (body) => arrived.push(body));
    async function go(ms: number, drained: number): Promise<void> {
      for (let step = 0; step < ms / 50; step += 1) {
        const payloads = Array.from({ length: 5 }, (_, index) => {
          const number = published.length + index;
          return `g${number % 16}.${number}`;
        });
        published.push(...payloads);
        world.publish(payloads, topicOf);
        await world.pass(50);
        const bodies = world.bodies('fifo', seen);
        arrived.push(...bodies);
        seen += bodies.length;
        if (step % 4 === 0) await queue.drain(drained);
      }
    }
    world.open();
    await world.settle();
    world.producer.decide(away);
    await go(6_000, 0);
    world.producer.decide(() => undefined);
    await go(20_000, 40);
    expect(await world.groups.list(world.task.taskId)).toEqual([]);
    await go(12_000, 40);
    expect(world.reports).toEqual([true, false]);
    for (let group = 0; group < 16; group += 1) {
      const isOfGroup = (body: string) => body.startsWith(`g${group}.`);
      expect([...new Set(arrived.filter(isOfGroup))]).toEqual(published.filter(isOfGroup));
    }
  });

  it('is not kept back while the queue is far behind, and what it costs then is one look a second', async () => {
    const { world, go, lane } = await busyLane();
    world.producer.decide(() => undefined);
    let reads = 0;
    const { read } = world.groups;
    world.groups.read = (...given) => {
      reads += 1;
      return read(...given);
    };
    // As many come out as go in.
    for (let round = 0; round < 20; round += 1) {
      await go(250, 5);
      expect(world.kept()).toBe(0);
    }
    expect(reads).toBeLessThanOrEqual(6);
    await lane.close();
  });

  it('goes on into the queue after 2 s in which nothing was settled, and is kept back less and less often', async () => {
    const { world, go } = await busyLane({ everyMs: 250 });
    world.producer.decide(() => undefined);
    staysBehind(world);
    let keptMs = 0;
    let longestMs = 0;
    const times: number[] = [];
    for (let passedMs = 0; passedMs < 40_000; passedMs += 50) {
      await go(50, 0);
      if (world.kept() > 0 && keptMs === 0) times.push(passedMs);
      keptMs = world.kept() > 0 ? keptMs + 50 : 0;
      longestMs = Math.max(longestMs, keptMs);
    }
    expect(longestMs).toBeGreaterThan(1_500);
    expect(longestMs).toBeLessThanOrEqual(2_200);
    expect(times.length).toBeGreaterThan(3);
    expect(times.length).toBeLessThan(8);
  });

  it('goes into the queue at once when the target leaves again', async () => {
    const { world, go, queued } = await busyLane({ everyMs: 250 });
    world.producer.decide(() => undefined);
    staysBehind(world);
    while (world.kept() === 0) await go(50, 0);
    while (world.kept() > 0) await go(50, 0);
    // Kept back again after 0.75 s; away after 2 s; given up after 2.75 s otherwise.
    world.producer.decide(() => new Promise(() => {}));
    world.publish(['b.0'], topicOf);
    await go(1_900, 0);
    const before = queued();
    expect(world.health.at(-1)).toBe('working');
    await go(300, 0);
    expect(world.health.at(-1)).toBe('TARGET_UNAVAILABLE');
    expect(queued()).toBeGreaterThan(before + 4);
    expect(world.kept()).toBe(0);
  });

  it('finds out by the batching function that the target is back, and does not believe that for ever', async () => {
    const { world, go, published, arrived } = await busyLane();
    expect(world.health.at(-1)).toBe('TARGET_UNAVAILABLE');
    // The function gets through, this lane does not.
    const before = world.health.length;
    await go(60_000, 10);
    const returns = world.health.slice(before).filter((line) => line === 'working').length;
    expect(returns).toBeGreaterThan(2);
    expect(returns).toBeLessThan(8);
    world.producer.decide(() => undefined);
    await go(60_000, 10);
    expect(world.health.at(-1)).toBe('working');
    expect(await world.groups.list(world.task.taskId)).toEqual([]);
    expect(arrived).toEqual(published());
  });

  it('loses nothing and stays in order when the lane is handed over meanwhile', async () => {
    const { world, lane, go, look, queue, arrived, published, marks } = await busyLane();
    world.producer.decide(() => undefined);
    await go(2_500, 10);
    while (world.kept() < 2) await go(50, 0);
    const draining = lane.drain(1_000);
    await world.pass(1_000);
    await draining;
    world.open();
    await lane.close();
    await go(8_000, 10);
    await world.pass(500);
    look();
    await queue.drain();
    expect([...new Set(arrived)]).toEqual(published());
    expect(world.kept()).toBe(0);
    expect(await marks()).toBe(0);
  });
});

describe('createWayBack', () => {
  let put: string[];
  let lagMs: number;
  beforeEach(() => {
    put = [];
    lagMs = 0;
  });
  const item = (name: string, bytes = 10) => {
    const [groupKey = ''] = name.split('.');
    return { groupKey, delivery: { bytes }, provenance: { messageId: name } } as LaneItem;
  };
  const build = (options: { receiveMaximum?: number; maxPendingBytes?: number } = {}) => {
    const wayBack = createWayBack({
      groups: { holds: () => true, lagMs: () => lagMs },
      put: (items) => put.push(...items.map(({ provenance }) => provenance.messageId)),
      receiveMaximum: 1_000,
      maxPendingBytes: 1_000_000,
      random: () => 0.999_999,
      ...options,
    });
    const come = (name: string, nowMs: number, bytes?: number) => {
      wayBack.arrived(nowMs);
      return wayBack.keep(item(name, bytes), nowMs);
    };
    wayBack.accepted(NOW_MS, true);
    return { ...wayBack, come, size: () => wayBack.size, groupKeys: () => wayBack.groupKeys };
  };

  it('keeps nothing back of a target that has taken nothing for long, or of a group far behind', () => {
    const wayBack = build();
    expect(wayBack.come('a.0', NOW_MS + 10_001)).toBe(false);
    lagMs = 1_501;
    expect(wayBack.come('a.0', NOW_MS)).toBe(false);
    lagMs = 1_500;
    expect(wayBack.come('a.0', NOW_MS)).toBe(true);
    // What follows is behind it.
    lagMs = 9_999;
    expect(wayBack.come('a.1', NOW_MS + 100)).toBe(true);
    expect(wayBack.release('a').map(({ provenance }) => provenance.messageId)).toEqual(['a.0', 'a.1']);
    expect(wayBack.size()).toBe(0);
  });

  it('keeps back no more than half the window counts since the first, the oldest groups given up', () => {
    const wayBack = build({ receiveMaximum: 10 });
    wayBack.come('a.0', NOW_MS);
    wayBack.come('b.0', NOW_MS + 1);
    wayBack.come('a.1', NOW_MS + 2);
    wayBack.arrived(NOW_MS + 3);
    wayBack.arrived(NOW_MS + 4);
    expect(put).toEqual([]);
    wayBack.arrived(NOW_MS + 5);
    expect(put).toEqual(['a.0', 'a.1']);
    wayBack.arrived(NOW_MS + 6);
    expect(put).toEqual(['a.0', 'a.1', 'b.0']);
  });

  it('keeps back no more than half the bytes', () => {
    const wayBack = build({ maxPendingBytes: 1_000 });
    wayBack.come('a.0', NOW_MS, 400);
    wayBack.come('b.0', NOW_MS, 100);
    wayBack.come('b.1', NOW_MS, 1);
    expect(put).toEqual(['a.0']);
    wayBack.come('c.0', NOW_MS, 600);
    expect(put).toEqual(['a.0', 'b.0', 'b.1', 'c.0']);
  });

  it('keeps back 100 groups at a time', () => {
    const wayBack = build();
    for (let group = 0; group < 100; group += 1) expect(wayBack.come(`${group}.0`, NOW_MS)).toBe(true);
    expect(wayBack.come('100.0', NOW_MS)).toBe(false);
    wayBack.release('7');
    expect(wayBack.come('100.0', NOW_MS)).toBe(true);
    expect(wayBack.groupKeys()).toHaveLength(100);
  });

  it('waits after a try, twice as long after each, up to 8 s', () => {
    const wayBack = build();
    let nowMs = NOW_MS;
    const waits: number[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const gaveUpMs = nowMs;
      wayBack.accepted(nowMs, true);
      while (!wayBack.come('a.0', nowMs)) {
        nowMs += 100;
        wayBack.accepted(nowMs, true);
      }
      waits.push(nowMs - gaveUpMs);
      // Regular arrivals: the window is not full.
      for (const endMs = nowMs + 2_000; nowMs < endMs; nowMs += 100) {
        wayBack.arrived(nowMs);
        wayBack.tick(nowMs);
      }
      wayBack.tick(nowMs);
      expect(wayBack.size()).toBe(0);
    }
    expect(waits).toEqual([0, 1_000, 2_000, 4_000, 8_000]);
  });

  it('gives up when a busy broker falls silent: its window is full', () => {
    const wayBack = build();
    for (let ms = -1_000; ms < 1_000; ms += 10) wayBack.arrived(NOW_MS + ms);
    wayBack.come('a.0', NOW_MS + 1_000);
    for (let ms = 1_010; ms <= 1_300; ms += 10) {
      wayBack.come('a.1', NOW_MS + ms);
      wayBack.tick(NOW_MS + ms);
    }
    expect(put).toEqual([]);
    wayBack.tick(NOW_MS + 1_340);
    expect(put).toEqual([]);
    wayBack.tick(NOW_MS + 1_400);
    expect(put).toHaveLength(31);
    // Nobody is kept back for a while.
    expect(wayBack.come('b.0', NOW_MS + 2_350)).toBe(false);
    expect(wayBack.come('b.0', NOW_MS + 2_400)).toBe(true);
  });

  it('does not take the time between two bursts for a full window', () => {
    const wayBack = build();
    let nowMs = NOW_MS;
    const burst = (count: number) => {
      for (let index = 0; index < count; index += 1) wayBack.arrived(nowMs);
    };
    for (; nowMs < NOW_MS + 5_000; nowMs += 200) burst(30);
    wayBack.accepted(nowMs, true);
    expect(wayBack.come('a.0', nowMs)).toBe(true);
    for (let step = 0; step < 15; step += 1) {
      nowMs += 100;
      if (step % 2 === 1) burst(30);
      wayBack.tick(nowMs);
    }
    expect(put).toEqual([]);
  });

  it('stops trying where the window fills at once', () => {
    const wayBack = build();
    let nowMs = NOW_MS;
    for (; nowMs < NOW_MS + 1_000; nowMs += 5) wayBack.arrived(nowMs);
    let tries = 0;
    for (; nowMs < NOW_MS + 60_000; nowMs += 5) {
      wayBack.accepted(nowMs, true);
      const isKept = wayBack.come('a.0', nowMs);
      if (!isKept || wayBack.size() === 0) continue;
      tries += 1;
      nowMs += 100;
      wayBack.tick(nowMs);
      expect(wayBack.size()).toBe(0);
    }
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(9);
  });

  it('gives everything up when the target leaves, and waits longer each time it does', () => {
    const wayBack = build();
    wayBack.come('a.0', NOW_MS);
    wayBack.come('b.0', NOW_MS);
    wayBack.left(NOW_MS + 10);
    expect(put).toEqual(['a.0', 'b.0']);
    wayBack.accepted(NOW_MS + 20, false);
    expect(wayBack.come('c.0', NOW_MS + 1_000)).toBe(false);
    expect(wayBack.come('c.0', NOW_MS + 1_010)).toBe(true);
    wayBack.left(NOW_MS + 1_020);
    wayBack.accepted(NOW_MS + 1_030, false);
    expect(wayBack.believes(NOW_MS + 3_000)).toBe(false);
    expect(wayBack.believes(NOW_MS + 3_020)).toBe(true);
    expect(wayBack.come('d.0', NOW_MS + 3_000)).toBe(false);
    expect(wayBack.come('d.0', NOW_MS + 3_020)).toBe(true);
  });

  it('gives a group up when something of it has to go into the queue', () => {
    const wayBack = build();
    wayBack.come('a.0', NOW_MS);
    wayBack.come('b.0', NOW_MS);
    wayBack.giveUp('a');
    wayBack.giveUp('c');
    expect(put).toEqual(['a.0']);
    expect(wayBack.size()).toBe(1);
  });
});
