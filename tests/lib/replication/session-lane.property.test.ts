import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
  InvalidMessageError,
} from '../../../lib/domain/errors.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import type { Lane } from '../../../lib/replication/lane.ts';
import { createLaneWorld, orderedTask, sessionTask } from '../../helpers/session-lane.ts';

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
  | { kind: 'drain queue'; count: number };

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
      }),
    },
  ),
  { minLength: 3, maxLength: 25 },
);

/** Each publication goes to some of them, the next one to others. */
const GROUPS = [...'abcdefghijklmnop'];

/** One life of a task: a broker that keeps everything, lanes one after the other, and the batching function at its queue. */
async function live(isOrdered: boolean, script: readonly Event[]) {
  const world = createLaneWorld({
    task: isOrdered ? orderedTask() : sessionTask(),
    receiveMaximum: 20,
  });
  const published: string[] = [];
  let drainedRecords = 0;
  let turn = 0;
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

  /** As much of the queue as the batching function comes to, in the queue's order. */
  async function drainQueue(count = Number.POSITIVE_INFINITY): Promise<void> {
    look();
    const records = world.queue.records(world.queueUrl).slice(drainedRecords, drainedRecords + count);
    const bodies = world.queued().slice(drainedRecords);
    drainedRecords += records.length;
    for (const [index, { groupKey, putId }] of records.entries()) {
      arrived.push(bodies[index] ?? '');
      if (groupKey !== undefined) await world.groups.settled(world.task.taskId, groupKey, putId);
    }
  }

  async function happen(event: Event): Promise<void> {
    switch (event.kind) {
      case 'publish': {
        turn += 1;
        const payloads = Array.from({ length: event.count }, (_, index) => {
          const number = published.length + index;
          return `${GROUPS[(turn * 3 + (index % event.groups)) % GROUPS.length]}.${number}`;
        });
        published.push(...payloads);
        return world.publish(payloads, topicOf);
      }
      case 'pass':
        await world.pass(event.ms);
        return look();
      case 'weather':
        return world.producer.decide(({ body }) =>
          body.toString().endsWith('7') && event.weather === 'well'
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
        return drainQueue(event.count);
    }
  }

  await open();
  for (const event of script) await happen(event);
  look();
  const kept = world.kept();
  const safe = new Set([
    ...world.bodies(topic),
    ...world.queued(),
    ...world.deadLetters.entries.map(({ envelope }) => payloadOf(envelope)),
  ]);
  return { world, published, arrived, drainQueue, kept, safe, topic, look, lane: () => lane };
}

const payloadOf = (envelope: string) =>
  Buffer.from((JSON.parse(envelope) as { p?: string }).p ?? '', 'base64').toString();

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
          await last.close();
        }),
        { numRuns: 40 },
      );
    },
    120_000,
  );

  it('keeps each group in order, by the direct way and by the queue together', async () => {
    await fc.assert(
      fc.asyncProperty(events, async (script) => {
        const life = await live(true, script);
        const { world } = life;
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
            .filter((body) => body.startsWith(`${group}.`))
            .map((body) => Number(body.slice(2)));
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        }
        await last.close();
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
