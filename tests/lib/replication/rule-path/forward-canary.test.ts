import { describe, expect, it } from '@jest/globals';
import { createMemoryCanaryStore } from '../../../../lib/adapters/memory/canary-store.ts';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import { minuteOf, totalsOf } from '../../../../lib/domain/figures/figures.ts';
import { canaryPayload } from '../../../../lib/mapping/canary.ts';
import type { CanaryStore } from '../../../../lib/ports/canary-store.ts';
import { createBatchFigures } from '../../../../lib/replication/figures/batch-figures.ts';
import { createForwardWorld } from '../../../helpers/forward-world.ts';
import {
  createRecordingLogger,
  createSteppingClock,
  NOW_MS,
  ruleTask,
  sourceRecord,
  TASK_ID,
} from '../../../helpers/rule-path.ts';

const DEADLINE = { deadlineMs: NOW_MS + 30_000 };
const TOPICS = { charger_status: 'NORMAL', canaries: 'NORMAL' } as const;
const t = `mqferry/canary/${TASK_ID}`;
const canaryRecord = (token: string, sentAtMs = NOW_MS, receiveCount = 1) =>
  sourceRecord({ t, payload: canaryPayload({ token, sentAtMs }) }, { receiveCount });

async function setUp(
  options: object = { canary: {} },
  { topic = 'charger_status', ...changes }: Partial<CanaryStore> & { topic?: string } = {},
) {
  const canaries = { ...createMemoryCanaryStore(), ...changes };
  const store = createMemoryFigureStore();
  const figures = createBatchFigures({
    store,
    clock: createSteppingClock(),
    logger: createRecordingLogger(),
  });
  const world = createForwardWorld(ruleTask({ options, target: { clusterId: 'business', topic } }), TOPICS, {
    canaries,
    figures,
  });
  await canaries.sending(TASK_ID, { token: 'secret', sinceMs: NOW_MS, sentAtMs: NOW_MS });
  return { ...world, canaries, store, known: () => canaries.get(TASK_ID) };
}

describe('canaries in a batch', () => {
  it('reach the target without a message, and are in no figure', async () => {
    const { forwardBatch, producer, known, store } = await setUp();
    const records = [canaryRecord('secret'), sourceRecord(), canaryRecord('secret', NOW_MS - 60_000, 2)];
    const { failedRecordIds, counts } = await forwardBatch(records, DEADLINE);
    expect(failedRecordIds).toEqual([]);
    expect(producer.stored('charger_status')).toHaveLength(1);
    expect(counts[0]).toMatchObject({ records: 3, canaries: 2, consumed: 1, replicated: 1, retried: 0 });
    const sum = await store.totals(TASK_ID);
    expect(totalsOf(sum).totals).toMatchObject({ consumed: 1, replicated: 1, inFlight: 0, retried: 0 });
    expect(await known()).toEqual({
      token: 'secret',
      sinceMs: NOW_MS,
      sentAtMs: NOW_MS,
      cameSentAtMs: NOW_MS,
    });
  });

  it('count in what the queue itself counts, so that the balance holds', async () => {
    const { forwardBatch, store } = await setUp();
    await forwardBatch([canaryRecord('secret'), sourceRecord()], DEADLINE);
    const minutes = await store.read(TASK_ID, { fromMinute: 0, toMinute: 99_999_999 }, 'minute');
    expect(minutes[0]?.figures.sourceMinutes).toEqual({ [minuteOf(NOW_MS - 40)]: 2 });
  });

  it('take back what an earlier batch has counted of them, before it could tell', async () => {
    const { forwardBatch } = await setUp();
    const { counts } = await forwardBatch([canaryRecord('secret', NOW_MS, 2)], DEADLINE);
    expect(counts[0]).toMatchObject({ canaries: 1, consumed: 0, retried: 0, takenBack: 1 });
  });

  it('end in the canary topic where the task has one, the last of them', async () => {
    const { forwardBatch, producer, known } = await setUp({ canary: { canaryTopic: 'canaries' } });
    await forwardBatch([canaryRecord('secret', NOW_MS - 60_000), canaryRecord('secret')], DEADLINE);
    expect(producer.stored('canaries').map(({ properties }) => properties.get('mqferry_canary'))).toEqual([
      TASK_ID,
    ]);
    expect(producer.stored('charger_status')).toEqual([]);
    expect(await known()).toMatchObject({ cameSentAtMs: NOW_MS });
  });

  it.each([
    ['a canary topic', { canary: { canaryTopic: 'nowhere' } }, 'charger_status'],
    ['a target topic', { canary: {} }, 'nowhere'],
  ])('tell of %s that is not there, and are gone', async (_, options, topic) => {
    const { known, ...world } = await setUp(options, { topic });
    const { failedRecordIds } = await world.forwardBatch([canaryRecord('secret')], DEADLINE);
    expect(failedRecordIds).toEqual([]);
    expect((await known())?.failure).toMatchObject({ code: expect.any(String), message: expect.any(String) });
    expect(world.deadLetters.entries).toEqual([]);
    expect(world.table.reports).toEqual([]);
  });

  it('are messages where somebody else has published them', async () => {
    const { forwardBatch, producer, known } = await setUp({ canary: {} });
    const { counts } = await forwardBatch([canaryRecord('guessed')], DEADLINE);
    // No filter of the task matches it.
    expect(counts[0]).toMatchObject({ canaries: 0, consumed: 1, filtered: 1 });
    expect(producer.stored('charger_status')).toEqual([]);
    expect(await known()).not.toHaveProperty('cameSentAtMs');
  });

  it('are left out when the task has no canary any more', async () => {
    const { forwardBatch, known } = await setUp({});
    const { counts, failedRecordIds } = await forwardBatch([canaryRecord('secret')], DEADLINE);
    expect([counts[0]?.canaries, failedRecordIds]).toEqual([1, []]);
    expect(await known()).not.toHaveProperty('cameSentAtMs');
  });

  it('come again while the table does not tell whether they are canaries; others do not wait for it', async () => {
    const { forwardBatch, producer } = await setUp(
      { canary: {} },
      { get: () => Promise.reject(new Error('no answer')) },
    );
    const canary = canaryRecord('secret');
    const { failedRecordIds } = await forwardBatch([canary, sourceRecord()], DEADLINE);
    expect(failedRecordIds).toEqual([canary.recordId]);
    expect(producer.stored('charger_status')).toHaveLength(1);
  });
});
