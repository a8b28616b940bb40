import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
  InvalidMessageError,
} from '../../../../lib/domain/errors/errors.ts';
import type { Clock } from '../../../../lib/ports/clock.ts';
import type { OverflowGroups } from '../../../../lib/ports/overflow-groups.ts';
import type { Lane } from '../../../../lib/replication/shifts/lane.ts';
import { createQueueDrain } from '../../../helpers/queue-drain.ts';
import { createLaneWorld, orderedTask, sessionTask } from '../../../helpers/session-lane.ts';

/** What the cluster says from some moment on. */
const WEATHER = {
  well: () => undefined,
  slow: async (clock: Clock) => {
    await clock.sleep(400);
    return undefined;
  },
  slowlyAway: async (clock: Clock) => {
    await clock.sleep(300);
    return new BrokerUnavailableError('away');
  },
  away: () => new BrokerUnavailableError('away'),
  lostAnswers: () => new BrokerUnavailableError('no answer', { maybeStored: true }),
  hangs: () => new Promise<undefined>(() => {}),
  slower: () => new BrokerThrottledError('slower', { waitMs: 700 }),
  noAccess: () => new BrokerHoldError('no access', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' }),
  noTopic: () => new BrokerHoldError('no topic', { code: 'TOPIC_NOT_FOUND', scope: 'topic' }),
};
type Weather = keyof typeof WEATHER;

type Event =
  | { kind: 'publish'; count: number; groups: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'weather'; weather: Weather }
  | { kind: 'queue'; refusesEvery: number }
  | { kind: 'hand over'; isPrompt: boolean }
  | { kind: 'lose lease' }
  | { kind: 'disconnect' }
  | { kind: 'pause' }
  | { kind: 'drain queue'; count: number; isKilled: boolean }
  /** Each group is published to all the time, and the batching function works on. */
  | { kind: 'stream'; groups: number; everyMs: number; steps: number; drainsOf20: number }
  | { kind: 'table'; fails: 'never' | 'before' | 'after' };

const events = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        count: fc.integer({ min: 1, max: 30 }),
        groups: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 50, max: 4_000 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('weather' as const),
        weather: fc.constantFrom(...(Object.keys(WEATHER) as Weather[])),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('queue' as const),
        refusesEvery: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('hand over' as const), isPrompt: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'lose lease' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'disconnect' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'pause' as const }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('drain queue' as const),
        count: fc.integer({ min: 1, max: 40 }),
        isKilled: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('stream' as const),
        groups: fc.integer({ min: 1, max: 3 }),
        everyMs: fc.constantFrom(50, 100, 250),
        steps: fc.integer({ min: 10, max: 80 }),
        drainsOf20: fc.integer({ min: 0, max: 20 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('table' as const),
        fails: fc.constantFrom('never', 'before', 'after'),
      }),
    },
  ),
  { minLength: 3, maxLength: 25 },
);

/**
 * RocketMQ refuses messages that end so while all is well. A refused one holds up nobody, and where its lane ends before it is a dead
 * letter it comes again, and may then be taken: it has no place in the order.
 */
const REFUSED = '7';

/** Each publication goes to some of them, the next one to others. */
const GROUPS = [...'abcdefghijklmnop'];

/** One life of a task: a broker that keeps everything, lanes one after the other, and the batching function at its queue. */
async function live(isOrdered: boolean, script: readonly Event[]) {
  const world = createLaneWorld({
    task: isOrdered ? orderedTask() : sessionTask(),
    receiveMaximum: 20,
  });
  const published: string[] = [];
  const table = breakTable(world.groups);
  let turn = 0;
  let busyReturns = 0;
  let lane: (Lane & { lease: { isOurs: boolean } }) | undefined;
  let mode: 'forward' | 'buffer' = 'forward';
  const open = async () => {
    lane = world.open(mode);
    await world.settle();
  };
  const topicOf = (payload: string) => `stations/${payload.split('.')[0]}`;
  const topic = isOrdered ? 'fifo' : 'charger_status';
  /** Everything that has arrived, in the order of arrival. */
  const arrived: string[] = [];
  let seen = 0;
  const look = () => {
    const bodies = world.bodies(topic);
    arrived.push(...bodies.slice(seen));
    seen = bodies.length;
  };

  const queueDrain = createQueueDrain(world, (body) => arrived.push(body));
  /** As much of the queue as the batching function comes to. */
  async function drainQueue(count?: number, isKilled = false): Promise<void> {
    look();
    await queueDrain.drain(count, { isKilled });
  }

  function publish(groups: readonly number[]): void {
    const payloads = groups.map((group, index) => {
      return `${GROUPS[group % GROUPS.length]}.${published.length + index}`;
    });
    published.push(...payloads);
    world.publish(payloads, topicOf);
  }

  async function stream({ groups, everyMs, steps, drainsOf20 }: Event & { kind: 'stream' }): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      const marksBefore = (await world.groups.list(world.task.taskId)).length;
      if ((step * 50) % everyMs === 0) publish(Array.from({ length: groups }, (_, group) => group));
      await world.pass(50);
      if ((await world.groups.list(world.task.taskId)).length < marksBefore) busyReturns += 1;
      // What the queue has waits for a moment, as it would for its function.
      if (step % 20 < drainsOf20) await drainQueue(Math.max(0, queueDrain.left() - groups));
      if (step % 20 === 19 && drainsOf20 > 0) await drainQueue();
    }
  }

  async function happen(event: Event): Promise<void> {
    switch (event.kind) {
      case 'publish': {
        turn += 1;
        return publish(Array.from({ length: event.count }, (_, index) => turn * 3 + (index % event.groups)));
      }
      case 'stream':
        return stream(event);
      case 'table':
        table.fails = event.fails;
        return;
      case 'pass':
        await world.pass(event.ms);
        return look();
      case 'weather':
        return world.producer.decide(({ body }) =>
          body.toString().endsWith(REFUSED) && event.weather === 'well'
            ? new InvalidMessageError('bad')
            : WEATHER[event.weather](world.clock),
        );
      case 'queue': {
        let puts = 0;
        return world.queue.decide(() => {
          puts += 1;
          return event.refusesEvery === 1 || puts % event.refusesEvery !== 0;
        });
      }
      case 'hand over': {
        const draining = lane?.drain(1_000);
        if (!event.isPrompt) await world.pass(1_000);
        const old = lane;
        if (event.isPrompt) await world.pass(1_000);
        await draining;
        await open();
        return old?.close();
      }
      case 'lose lease':
        if (lane !== undefined) lane.lease.isOurs = false;
        await open();
        return;
      case 'disconnect':
        world.broker.disconnect(world.clientId);
        await lane?.ended;
        return open();
      case 'pause':
        await lane?.close();
        mode = mode === 'forward' ? 'buffer' : 'forward';
        return open();
      case 'drain queue':
        return drainQueue(event.count, event.isKilled);
    }
  }

  await open();
  for (const event of script) await happen(event);
  look();
  const kept = world.kept();
  table.fails = 'never';
  const safe = new Set([
    ...world.bodies(topic),
    ...world.queued(),
    ...world.deadLetters.entries.map(({ envelope }) => payloadOf(envelope)),
  ]);
  return { world, published, arrived, drainQueue, kept, safe, topic, look, busyReturns, lane: () => lane };
}

/** Payloads of what was sent, and of what has gone through the queue, without the mark of being sent again. */
function unmarkedCopies(world: ReturnType<typeof createLaneWorld>, topic: string): string[] {
  const sent = world.producer.stored(topic).filter(({ properties }) => !properties.has('mqferry_resent'));
  const queued = world.queue
    .records(world.queueUrl)
    .map(({ body }) => body)
    .filter((envelope) => (JSON.parse(envelope) as { rs?: boolean }).rs !== true);
  return [...sent.map(({ body }) => body.toString()), ...queued.map(payloadOf)];
}

const payloadOf = (envelope: string) =>
  Buffer.from((JSON.parse(envelope) as { p?: string }).p ?? '', 'base64').toString();

/** Lets reads of marks fail, and writes with or without having been done. */
function breakTable(groups: OverflowGroups): { fails: 'never' | 'before' | 'after' } {
  const table: { fails: 'never' | 'before' | 'after' } = { fails: 'never' };
  const { read, announce, forget } = groups;
  async function through<T>(work: () => Promise<T>): Promise<T> {
    if (table.fails === 'before') throw new Error('the table is away');
    const answer = await work();
    if (table.fails === 'after') throw new Error('no answer');
    return answer;
  }
  groups.read = (...given) => through(() => read(...given));
  groups.announce = (...given) => through(() => announce(...given));
  groups.forget = (...given) => through(() => forget(...given));
  return table;
}

/** In the order in which they came first. */
const firsts = (bodies: readonly string[]) => [...new Set(bodies)];

describe('createSessionLane', () => {
  // Calls that are never answered leave their timeouts behind.
  beforeAll(() => {
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
  });
  afterAll(() => {
    jest.useRealTimers();
  });

  it.each([false, true])(
    'loses nothing whatever happens (ordered: %s)',
    async (isOrdered) => {
      await fc.assert(
        fc.asyncProperty(events, async (script) => {
          const { published, kept, safe, lane } = await live(isOrdered, script);
          // PUBACKs leave in the order of arrival: what the broker still has is more than what is not safe yet.
          const unsafe = published.filter((payload) => !safe.has(payload));
          expect(unsafe.length).toBeLessThanOrEqual(kept);
          await lane()?.close();
        }),
        { numRuns: 60 },
      );
    },
    120_000,
  );

  it.each([false, true])(
    'brings everything home once all is well (ordered: %s)',
    async (isOrdered) => {
      await fc.assert(
        fc.asyncProperty(events, async (script) => {
          const life = await live(isOrdered, script);
          const { world, published, topic } = life;
          world.producer.decide(() => undefined);
          world.queue.decide(() => true);
          await life.lane()?.close();
          const last = world.open('forward');
          for (let round = 0; round < 4; round += 1) {
            await world.pass(3_000);
            await life.drainQueue();
          }
          expect(world.kept()).toBe(0);
          const home = new Set([
            ...world.bodies(topic),
            ...world.queued(),
            ...world.deadLetters.entries.map(({ envelope }) => payloadOf(envelope)),
          ]);
          expect(published.filter((payload) => !home.has(payload))).toEqual([]);
          // Of all copies but one each says that it may be one.
          const unmarked = unmarkedCopies(world, topic);
          expect(unmarked.filter((payload, index) => unmarked.indexOf(payload) < index)).toEqual([]);
          await last.close();
        }),
        { numRuns: 40 },
      );
    },
    120_000,
  );

  it('keeps each group in order, by the direct way and by the queue together', async () => {
    let busyReturns = 0;
    await fc.assert(
      fc.asyncProperty(events, async (script) => {
        const life = await live(true, script);
        const { world } = life;
        busyReturns += life.busyReturns;
        world.producer.decide(() => undefined);
        world.queue.decide(() => true);
        await life.lane()?.close();
        const last = world.open('forward');
        for (let round = 0; round < 4; round += 1) {
          await world.pass(3_000);
          await life.drainQueue();
        }
        life.look();
        for (const group of GROUPS) {
          const numbers = firsts(life.arrived)
            .filter((body) => body.startsWith(`${group}.`) && !body.endsWith(REFUSED))
            .map((body) => Number(body.slice(2)));
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        }
        await last.close();
      }),
      { numRuns: 120 },
    );
    // Groups came back although they were published to all the time.
    expect(busyReturns).toBeGreaterThan(0);
  }, 120_000);
});
