import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import { createReadBalance } from '../../../../lib/control/figures/read-balance.ts';
import { BrokerUnavailableError, InvalidMessageError } from '../../../../lib/domain/errors/errors.ts';
import { totalsOf } from '../../../../lib/domain/figures/figures.ts';
import type { FigureStore, FigureWrite } from '../../../../lib/ports/figure-store.ts';
import { createFigureMeters } from '../../../../lib/replication/figures/figure-meter.ts';
import { createRecordingLogger } from '../../../helpers/rule-path.ts';
import { createLaneWorld, sessionTask } from '../../../helpers/session-lane.ts';

const MINUTE_MS = 60_000;
const STEP_MS = 5_000;

/** A lane whose figures go where `add` brings them. */
function createWorld(
  add: (store: FigureStore, write: FigureWrite) => Promise<void> = (store, write) => store.add(write),
  task = sessionTask(),
) {
  const store = createMemoryFigureStore();
  const [writers, dead] = [new Set<string>(), new Set<string>()];
  function alive({ writer }: { writer: string }): void {
    if (dead.has(writer)) throw new Error('its process was killed');
    writers.add(writer);
  }
  const logger = createRecordingLogger();
  // The world makes its own clock: the meters get it as soon as it is there.
  const late: { clock: ReturnType<typeof createManualClock> } = { clock: createManualClock() };
  const clock = {
    now: () => late.clock.now(),
    sleep: (ms: number, signal?: AbortSignal) => late.clock.sleep(ms, signal),
  };
  const figures = createFigureMeters({
    store: {
      ...store,
      add: async (write) => {
        alive(write);
        await add(store, write);
      },
      addWitness: async (write) => {
        alive(write);
        await store.addWitness(write);
      },
    },
    clock,
    logger,
  });
  const world = createLaneWorld({ task, ports: { figures } });
  late.clock = world.clock;
  const readBalance = createReadBalance({
    figures: store,
    queueCounter: { backlog: async () => undefined },
    clock,
    logger,
  });
  let numbers = 0;
  function publish(): void {
    world.publish(Array.from({ length: 5 }, (_, index) => `${numbers + index}`));
    numbers += 5;
  }
  return {
    world,
    store,
    publish,
    /** Nothing that works by now writes anything any more. */
    killWriters() {
      for (const writer of writers) dead.add(writer);
    },
    async balance() {
      const [{ balance }, sum] = [await readBalance(world.task), await store.totals(world.task.taskId)];
      return { ...balance, ...totalsOf(sum) };
    },
    /** Five messages each five seconds. */
    async traffic(ms: number) {
      for (let passed = 0; passed < ms; passed += STEP_MS) {
        publish();
        for (let step = 0; step < STEP_MS; step += 500) {
          await world.clock.advance(500);
          await world.settle();
        }
      }
    },
  };
}

describe('figures of a session lane', () => {
  it('are what was published, in balance with what the session has received', async () => {
    const { world, balance, traffic } = createWorld();
    const lane = world.open();
    await world.settle();
    await traffic(12 * MINUTE_MS);
    await lane.drain(1_000);
    await lane.close();
    expect(await balance()).toMatchObject({
      witness: 'receipts',
      balanced: true,
      difference: 0,
      countedTwice: 0,
      totals: { consumed: 720, replicated: 720, inFlight: 0 },
    });
    expect((await balance()).counted).toBeGreaterThan(300);
  });

  it('tell which messages failed, for good and for now', async () => {
    const { world, store } = createWorld();
    world.producer.decide(({ body }) => {
      if (body.toString() === 'bad') return new InvalidMessageError('bad');
      return body.toString() === 'odd'
        ? new BrokerUnavailableError('odd', { code: 'TARGET_ERROR' })
        : undefined;
    });
    const lane = world.open();
    await world.settle();
    world.publish(['a', 'bad', 'odd']);
    for (let step = 0; step < 6; step += 1) {
      await world.clock.advance(500);
      await world.settle();
    }
    const { errors } = await store.totals(world.task.taskId);
    expect(errors).toHaveLength(2);
    expect(errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          code: 'MESSAGE_INVALID',
          outcome: 'dead-letter',
          targetTopic: 'charger_status',
          mqferryId: world.deadLetters.entries[0]?.recordId,
          deadLetterId: expect.any(String),
        }),
        expect.objectContaining({ code: 'TARGET_ERROR', outcome: 'retried', mqferryId: expect.any(String) }),
      ]),
    );
    await lane.close();
  });

  it.each([
    [
      'a lost update',
      async (store: FigureStore, write: FigureWrite) => {
        if (write.sequence % 10 !== 0) await store.add(write);
      },
    ],
    [
      'a double count',
      async (store: FigureStore, write: FigureWrite) => {
        await store.add(write);
        if (write.sequence % 10 === 0) await store.add({ ...write, writer: 'again' });
      },
    ],
  ])('are out of balance within 8 minutes of %s', async (_, add) => {
    const { world, balance, traffic } = createWorld(add);
    const lane = world.open();
    await world.settle();
    await traffic(8 * MINUTE_MS);
    expect(await balance()).toMatchObject({ witness: 'receipts', balanced: false });
    await lane.close();
  });

  it('are in balance where a copy of what two filters bring comes again, and count it once', async () => {
    const topicFilters = ['stations/+/status', 'stations/7/+'];
    const task = sessionTask({ source: { clusterId: 'factory', topicFilters } });
    const { world, balance, publish, traffic } = createWorld(undefined, task);
    const held = world.open();
    await world.settle();
    await traffic(MINUTE_MS);
    world.producer.decide(() => new Promise(() => undefined));
    // Acknowledged in the order of arrival: no copy behind these.
    publish();
    await world.settle();
    world.broker.disconnect(world.clientId);
    await held.close();
    world.producer.decide(() => undefined);
    const lane = world.open();
    await world.settle();
    await traffic(10 * MINUTE_MS);
    await lane.drain(1_000);
    await lane.close();
    const after = await balance();
    expect(after).toMatchObject({ witness: 'receipts', balanced: true, difference: 0 });
    expect(after.totals).toMatchObject({ consumed: 665, replicated: 665, overlap: 665, inFlight: 0 });
  });

  it('are in balance after a kill, and tell what came again', async () => {
    const { world, balance, publish, traffic, killWriters } = createWorld();
    const killed = world.open();
    await world.settle();
    await traffic(3 * MINUTE_MS + 2_000);
    // Received, and neither counted nor accepted.
    killed.lease.isOurs = false;
    publish();
    await world.settle();
    killWriters();
    world.broker.disconnect(world.clientId);
    const lane = world.open();
    await world.settle();
    await traffic(9 * MINUTE_MS);
    await lane.drain(1_000);
    await lane.close();
    const after = await balance();
    expect(after).toMatchObject({ witness: 'receipts', balanced: true });
    expect(after.totals.inFlight).toBe(0);
    expect(after.countedTwice).toBeGreaterThanOrEqual(5);
    expect(after.minutes?.compared).toBeLessThan(10);
  });
});
