import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryPresenceStates } from '../../../../lib/adapters/memory/presence-states.ts';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { newLatencies } from '../../../../lib/domain/figures/latency.ts';
import type { BatchCounts } from '../../../../lib/replication/figures/batch-counts.ts';
import type { ForwardBatchPorts } from '../../../../lib/replication/rule-path/forward-batch-ports.ts';
import type { SourceRecord } from '../../../../lib/replication/rule-path/source-record.ts';
import { createForwardWorld } from '../../../helpers/forward-world.ts';
import { NOW_MS, ruleTask, sourceRecord } from '../../../helpers/rule-path.ts';

const EVENTS = '$aws/events/presence';
const FILTERS = [`${EVENTS}/connected/+`, `${EVENTS}/disconnected/+`, 'stations/+/status'];
const DEBOUNCE_MS = 30_000;
const WILL = {
  topicFilter: 'stations/+/status',
  clientId: 'charger-${topic[2]}',
  when: { value: '${payload.status:-}', equals: 'offline' },
};

const presenceTask = (target: object = {}, options: object = {}) =>
  ruleTask({
    source: { clusterId: 'devices', topicFilters: FILTERS },
    target: {
      clusterId: 'business',
      topic: 'charger_status',
      tag: '${payload.reason:-status}',
      keys: ['${clientId:-none}'],
      ...target,
    },
    options: { presence: { will: WILL }, ...options },
  });

interface Said {
  kind: 'connected' | 'disconnected' | 'will' | 'status';
  version?: number;
  device?: number;
  atMs?: number;
  [field: string]: unknown;
}

/** One message of a device, as the record that its topic rule made. */
function recordOf(said: Said, changes: Partial<SourceRecord> = {}): SourceRecord {
  const { kind, version = 1, device = 7, atMs = NOW_MS, ...more } = said;
  if (kind === 'will' || kind === 'status') {
    const payload = JSON.stringify({ status: kind === 'will' ? 'offline' : 'charging', error: 'E12' });
    return sourceRecord({ t: `stations/${device}/status`, c: 'n/a', ts: atMs, payload }, changes);
  }
  const payload = JSON.stringify({
    clientId: `charger-${device}`,
    timestamp: atMs,
    versionNumber: version,
    sessionIdentifier: `session-${version}`,
    ...(kind === 'connected'
      ? {}
      : { disconnectReason: 'CONNECTION_LOST', clientInitiatedDisconnect: false }),
    ...more,
  });
  return sourceRecord({ t: `${EVENTS}/${kind}/charger-${device}`, c: 'n/a', ts: atMs, payload }, changes);
}

/** The batching function and a queue that gives out what was not acknowledged, when its time has come. */
function createQueueWorld(task = presenceTask(), changes: Partial<ForwardBatchPorts> = {}) {
  const world = createForwardWorld(task, { charger_status: 'NORMAL' }, changes);
  const { clock, forwardBatch, visibility, producer } = world;
  let waiting: { record: SourceRecord; fromMs: number }[] = [];
  const sums: Record<string, number> = {};
  const batches: BatchCounts[] = [];

  async function receive(records: readonly SourceRecord[]) {
    const seen = visibility.changes.length;
    const { failedRecordIds, counts } = await forwardBatch(records, { deadlineMs: clock.now() + 30_000 });
    batches.push(...counts);
    for (const [name, count] of Object.entries(counts[0] ?? {})) {
      if (typeof count === 'number') sums[name] = (sums[name] ?? 0) + count;
    }
    for (const record of records.filter(({ recordId }) => failedRecordIds.includes(recordId))) {
      const change = visibility.changes.slice(seen).find((one) => one.receiptHandle === record.receiptHandle);
      const fromMs = clock.now() + (change?.visibilityTimeoutSeconds ?? 180) * 1_000;
      waiting.push({ record: { ...record, receiveCount: record.receiveCount + 1 }, fromMs });
    }
    return counts[0];
  }

  return {
    ...world,
    receive,
    sums,
    batches,
    waiting: () => waiting.map(({ fromMs }) => fromMs - clock.now()),
    /** Gives out what comes again until that time has passed. */
    async pass(ms: number) {
      const untilMs = clock.now() + ms;
      for (let turns = 0; turns < 1_000; turns += 1) {
        const [next] = waiting.toSorted((one, other) => one.fromMs - other.fromMs);
        if (next === undefined || next.fromMs > untilMs) break;
        waiting = waiting.filter((one) => one !== next);
        clock.step(Math.max(0, next.fromMs - clock.now()));
        await receive([next.record]);
      }
      clock.step(Math.max(0, untilMs - clock.now()));
    },
    stored: () =>
      producer.stored('charger_status').map(({ body, tag, keys, properties }) => ({
        tag,
        keys,
        id: properties.get('mqferry_id'),
        ...JSON.parse(body.toString()),
      })),
  };
}

describe('observeDevices', () => {
  it('tells no age of what its own debounce has hidden, and that of all else', async () => {
    const world = createQueueWorld();
    await world.receive([recordOf({ kind: 'disconnected' })]);
    await world.pass(DEBOUNCE_MS);
    expect(world.stored()).toHaveLength(1);
    expect(world.batches.map(({ oldestAgeMs }) => oldestAgeMs)).toEqual([0, 0]);
    const old = { receiveCount: 2, sentTimeMs: world.clock.now() - 700_000 };
    await world.receive([
      recordOf({ kind: 'connected', device: 8 }),
      recordOf({ kind: 'will', device: 9 }, old),
    ]);
    expect(world.batches.at(-1)?.oldestAgeMs).toBeLessThan(60_000);
  });

  it('makes one message of will and event, when the debounce is over', async () => {
    const world = createQueueWorld();
    const lost = recordOf({ kind: 'disconnected' });
    const counts = await world.receive([recordOf({ kind: 'connected', atMs: NOW_MS - 60_000 }), lost]);
    expect(counts).toMatchObject({ consumed: 2, filtered: 1, returned: { PRESENCE_DEBOUNCED: 1 } });
    expect(world.waiting()).toEqual([DEBOUNCE_MS]);
    expect(await world.receive([recordOf({ kind: 'will' })])).toMatchObject({ deduplicated: 1 });
    expect(world.stored()).toEqual([]);

    await world.pass(DEBOUNCE_MS);
    expect(world.stored()).toMatchObject([
      {
        tag: 'CONNECTION_LOST',
        keys: ['charger-7'],
        id: lost.recordId,
        event: 'offline',
        clientId: 'charger-7',
        reason: 'CONNECTION_LOST',
        will: { topic: 'stations/7/status', payload: { error: 'E12' } },
      },
    ]);
    expect(world.waiting()).toEqual([]);
    expect(world.sums).toMatchObject({ consumed: 3, replicated: 1, deduplicated: 1, filtered: 1 });
  });

  it('says nothing of a device that is back within the debounce', async () => {
    const world = createQueueWorld();
    await world.receive([recordOf({ kind: 'disconnected' }), recordOf({ kind: 'will' })]);
    await world.pass(DEBOUNCE_MS - 1_000);
    await world.receive([recordOf({ kind: 'connected', version: 2 })]);
    await world.pass(3_600_000);
    expect(world.stored()).toEqual([]);
    expect(world.sums).toMatchObject({ consumed: 3, filtered: 2, deduplicated: 1, replicated: 0 });
  });

  it('carries other messages of the devices as they are, at once', async () => {
    const world = createQueueWorld();
    await world.receive([recordOf({ kind: 'status' })]);
    expect(world.stored()).toMatchObject([{ tag: 'status', status: 'charging' }]);
  });

  it('carries everything as it is without the option', async () => {
    const world = createQueueWorld(presenceTask({}, { presence: undefined }));
    await world.receive([recordOf({ kind: 'disconnected' }), recordOf({ kind: 'will' })]);
    expect(world.stored()).toHaveLength(2);
  });

  it('tells the wait at info, and how long the messages took not at all', async () => {
    const world = createQueueWorld();
    await world.receive([recordOf({ kind: 'disconnected' })]);
    await world.pass(DEBOUNCE_MS);
    const lines = world.logger.lines.filter(({ message }) => message === 'batch forwarded');
    expect(lines.map(({ level }) => level)).toEqual(['info', 'info']);
    expect(world.batches.map(({ replicated }) => replicated)).toEqual([0, 1]);
    expect(world.batches.map(({ latencies }) => latencies)).toEqual([newLatencies(), newLatencies()]);
  });

  it('comes again soon when the table does not answer', async () => {
    const world = createQueueWorld(presenceTask(), {
      presenceStates: { change: () => Promise.reject(new Error('away')) },
    });
    const counts = await world.receive([recordOf({ kind: 'disconnected' })]);
    expect(counts).toMatchObject({ returned: { PRESENCE_UNAVAILABLE: 1 } });
    expect(world.waiting()[0]).toBeLessThanOrEqual(5_000);
  });

  it('does not begin what it has no time for', async () => {
    const world = createQueueWorld();
    const { clock } = world;
    const record = recordOf({ kind: 'disconnected' });
    const result = await world.forwardBatch([record], { deadlineMs: clock.now() + 14_000 });
    expect(result.failedRecordIds).toEqual([record.recordId]);
    expect(result.counts).toMatchObject([{ returned: { NOT_REACHED: 1 } }]);
  });

  it('makes a dead letter of an event that nobody can read, and of an offline message that cannot be mapped', async () => {
    const world = createQueueWorld(presenceTask({ tag: '${payload.will.payload.nothing}' }));
    await world.receive([
      recordOf({ kind: 'disconnected', timestamp: 'soon' }),
      recordOf({ kind: 'disconnected' }),
    ]);
    await world.pass(DEBOUNCE_MS);
    const codes = world.deadLetters.entries.map(({ code }) => code);
    expect(codes).toEqual(['PRESENCE_EVENT_INVALID', 'TEMPLATE_VALUE_MISSING']);
  });

  it('holds what is refused for its topic until the cluster has taken others since it was due', async () => {
    const world = createQueueWorld(presenceTask({ topic: '${payload.reason:-charger_status}' }));
    await world.receive([recordOf({ kind: 'disconnected' })]);
    world.clock.step(1_000);
    await world.receive([recordOf({ kind: 'status' })]);
    await world.pass(DEBOUNCE_MS);
    expect(world.deadLetters.entries).toEqual([]);
    expect(world.waiting()).toHaveLength(1);
    await world.receive([recordOf({ kind: 'status' })]);
    await world.pass(10_000);
    expect(world.deadLetters.entries).toMatchObject([{ targetTopic: 'CONNECTION_LOST' }]);
  });

  it('drops an offline message that is older than the task allows', async () => {
    const world = createQueueWorld(presenceTask({}, { maxAgeSeconds: 60 }));
    await world.receive([recordOf({ kind: 'disconnected', atMs: NOW_MS - 50_000 })]);
    await world.pass(DEBOUNCE_MS);
    expect(world.sums).toMatchObject({ expired: 1, replicated: 0 });
  });

  it('keeps an outage that was due while the target was away, also when the device is back', async () => {
    const world = createQueueWorld();
    world.producer.decide(() => new BrokerUnavailableError('no answer', { code: 'TARGET_UNREACHABLE' }));
    await world.receive([recordOf({ kind: 'disconnected' })]);
    await world.pass(DEBOUNCE_MS + 60_000);
    expect(world.stored()).toEqual([]);
    await world.receive([recordOf({ kind: 'connected', version: 2, atMs: NOW_MS + 90_000 })]);
    world.producer.decide(() => undefined);
    await world.pass(120_000);
    expect(world.stored()).toMatchObject([{ backOnlineAt: new Date(NOW_MS + 90_000).toISOString() }]);
  });

  it('tells each device once, whatever comes twice, in whichever order, and whatever fails on the way', async () => {
    const device = fc.record({ isBack: fc.boolean(), hasWill: fc.boolean(), copies: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(device, { minLength: 1, maxLength: 4 }),
        fc.array(fc.constantFrom('stores', 'away', 'table'), { maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 5 }),
        async (devices, faults, picks, batchSize) => {
          const left = [...faults];
          let failTable = false;
          const memory = createMemoryPresenceStates();
          const world = createQueueWorld(presenceTask(), {
            presenceStates: {
              change: async (which, nowMs, decide) => {
                const answer = await memory.change(which, nowMs, decide);
                // Written, and the answer lost.
                if (failTable) throw new Error('no answer');
                return answer;
              },
            },
          });
          world.producer.decide(() => {
            const fault = left.shift();
            return fault === undefined || fault === 'stores'
              ? undefined
              : new BrokerUnavailableError('no answer', { code: 'TARGET_UNREACHABLE' });
          });
          const records = devices.flatMap(({ isBack, hasWill, copies }, index) => {
            const of = (said: Said) =>
              Array.from({ length: copies + 1 }, () => recordOf({ ...said, device: index }));
            return [
              ...of({ kind: 'connected', version: 1, atMs: NOW_MS - 3_600_000 }),
              ...of({ kind: 'disconnected', version: 1 }),
              ...(hasWill ? of({ kind: 'will' }) : []),
              ...(isBack ? of({ kind: 'connected', version: 2, atMs: NOW_MS + 500 }) : []),
            ];
          });
          const shuffled: SourceRecord[] = [];
          while (records.length > 0) {
            shuffled.push(...records.splice((picks.next().value ?? 0) % records.length, 1));
          }
          for (let at = 0; at < shuffled.length; at += batchSize) {
            failTable = left[0] === 'table';
            if (failTable) left.shift();
            await world.receive(shuffled.slice(at, at + batchSize));
            failTable = false;
          }
          await world.pass(3_600_000);
          const told = world.stored().map(({ clientId }) => clientId);
          const expected = devices.flatMap(({ isBack }, index) => (isBack ? [] : [`charger-${index}`]));
          expect(told.toSorted()).toEqual(expected);
          expect(world.waiting()).toEqual([]);
          const { consumed = 0, replicated = 0, filtered = 0, deduplicated = 0 } = world.sums;
          expect(consumed).toBe(replicated + filtered + deduplicated);
        },
      ),
      { numRuns: 200 },
    );
  });
});
