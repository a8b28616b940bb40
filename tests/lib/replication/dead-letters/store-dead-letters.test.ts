import { describe, expect, it } from '@jest/globals';
import { createMemoryDeadLetterStore } from '../../../../lib/adapters/memory/dead-letter-store.ts';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import { createMemoryLargeBodies } from '../../../../lib/adapters/memory/large-bodies.ts';
import type { TaskCounted } from '../../../../lib/domain/figures/counted.ts';
import { encodeLargeEnvelope } from '../../../../lib/mapping/session-envelope.ts';
import type { DeadLetterStore } from '../../../../lib/ports/dead-letter-store.ts';
import { createStoreDeadLetters } from '../../../../lib/replication/dead-letters/store-dead-letters.ts';
import { createBatchFigures } from '../../../../lib/replication/figures/batch-figures.ts';
import {
  createRecordingLogger,
  createSteppingClock,
  envelopeText,
  NOW_MS,
  TASK_ID,
} from '../../../helpers/rule-path.ts';

const record = (recordId: string, body: string) => ({
  recordId,
  body,
  receiveCount: 1,
  sentTimeMs: NOW_MS,
  firstReceiveTimeMs: NOW_MS,
});

function setUp(changes: Partial<DeadLetterStore> = {}) {
  const store = { ...createMemoryDeadLetterStore(), ...changes };
  const largeBodies = createMemoryLargeBodies();
  const logger = createRecordingLogger();
  const clock = createSteppingClock();
  const figures = createMemoryFigureStore();
  const reported: TaskCounted[] = [];
  const storeDeadLetters = createStoreDeadLetters({
    store,
    largeBodies,
    figures: createBatchFigures({ store: figures, clock, logger }),
    report: (_message, tasks) => reported.push(...tasks),
    clock,
    logger,
  });
  const run = (records: Parameters<typeof storeDeadLetters>[0]) =>
    storeDeadLetters(records, { deadlineMs: clock.now() + 10_000 });
  return { store, largeBodies, logger, figures, reported, run };
}

describe('createStoreDeadLetters', () => {
  it('stores all of a batch, of tasks that are gone and of no task too', async () => {
    const { store, run } = setUp();
    const answer = await run([record('a', envelopeText({ payload: 'a' })), record('b', 'odd')]);
    expect(answer).toEqual({ failedRecordIds: [] });
    expect((await store.list(TASK_ID, { limit: 10 })).items).toMatchObject([{ code: 'QUEUE_GAVE_UP' }]);
    expect((await store.list('UNKNOWN', { limit: 10 })).items).toMatchObject([{ code: 'UNKNOWN_SHAPE' }]);
  });

  it('gives a large message a body of its own: the one that its queue names ends with the queue', async () => {
    const { store, largeBodies, run } = setUp();
    const whole = envelopeText({ payload: 'large' });
    await largeBodies.put('overflow/task/1', whole);
    const named = (key: string) => encodeLargeEnvelope({ taskId: TASK_ID, version: 1, key });
    const odd = named('overflow/task/1').replace(TASK_ID, '');
    const answer = await run([
      record('a', named('overflow/task/1')),
      record('b', named('overflow/task/gone')),
      record('c', odd.replace('"task"', '"tusk"')),
    ]);
    expect(answer).toEqual({ failedRecordIds: [] });
    const { items } = await store.list(TASK_ID, { limit: 10 });
    const bodies = await Promise.all(
      items.map(async ({ deadLetterId }) => (await store.get(TASK_ID, deadLetterId))?.body),
    );
    expect(bodies.toSorted()).toEqual([whole, named('overflow/task/gone')].toSorted());
    expect((await store.list('UNKNOWN', { limit: 10 })).items).toHaveLength(1);
  });

  it('stores a record once, however often it comes', async () => {
    const { store, figures, reported, run } = setUp();
    for (const _ of [1, 2, 3]) await run([record('a', envelopeText())]);
    expect((await store.list(TASK_ID, { limit: 10 })).items).toHaveLength(1);
    const { counts, failed, errors } = await figures.totals(TASK_ID);
    expect(errors).toMatchObject([
      { code: 'QUEUE_GAVE_UP', outcome: 'dead-letter', sourceTopic: expect.any(String) },
    ]);
    // Its first receipt was counted by the batch that met it first.
    expect([counts.consumed, failed]).toEqual([0, { QUEUE_GAVE_UP: 1 }]);
    expect(reported).toMatchObject([
      { taskId: TASK_ID, counts: { consumed: 0, failed: { QUEUE_GAVE_UP: 1 } } },
    ]);
  });

  it('tells the metrics of what a rule could not put into its queue, which no batch has counted', async () => {
    const { reported, run } = setUp();
    const ruleError = {
      ruleName: `mqferry_dev_0a1b2c3d_${TASK_ID}_0`,
      topic: 'stations/7/status',
      cloudwatchTraceId: 't',
      clientId: 'c',
      base64OriginalPayload: '',
      failures: [{ failedAction: 'SqsAction', failedResource: 'q', errorMessage: 'denied' }],
    };
    await run([record('by rule', JSON.stringify(ruleError)), record('odd', 'neither')]);
    expect(reported).toMatchObject([
      { taskId: TASK_ID, counts: { consumed: 1, failed: { RULE_ACTION_FAILED: 1 } } },
    ]);
    await run([]);
    expect(reported).toHaveLength(1);
  });

  it('gives back exactly what is not surely stored', async () => {
    const stored = createMemoryDeadLetterStore();
    const { run, logger } = setUp({
      async put(deadLetter) {
        if (deadLetter.body === 'bad') throw new Error('table away');
        return stored.put(deadLetter);
      },
    });
    const answer = await run([record('a', 'good'), record('b', 'bad'), record('c', 'fine')]);
    expect(answer).toEqual({ failedRecordIds: ['b'] });
    expect((await stored.list('UNKNOWN', { limit: 10 })).items).toHaveLength(2);
    expect(logger.lines).toMatchObject([{ level: 'warn', fields: { recordId: 'b' } }]);
    expect(JSON.stringify(logger.lines)).not.toContain('bad');
  });
});
