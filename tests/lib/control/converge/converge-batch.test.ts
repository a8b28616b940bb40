import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createMemoryVisibility } from '../../../../lib/adapters/memory/visibility.ts';
import { createConvergeBatch, type WakeRecord } from '../../../../lib/control/converge/converge-batch.ts';
import type { ConvergeTask } from '../../../../lib/control/converge/converge-task.ts';
import type { StartShifts } from '../../../../lib/control/converge/start-shifts.ts';
import { encodeWake, SHIFT_WATCH } from '../../../../lib/domain/wake-message.ts';
import { createJumpingClock, silentLogger } from '../../../helpers/converge-world.ts';

const run = { owner: 'run', deadlineMs: 60_000 };
const clock = createJumpingClock();
const record = (taskId: string, id: string, ageMs = 0): WakeRecord => ({
  recordId: id,
  receiptHandle: `handle-${id}`,
  queueArn: 'arn:aws:sqs:eu-west-1:1:control.fifo',
  body: encodeWake(taskId),
  sentTimeMs: clock.now() - ageMs,
});

let visibility = createMemoryVisibility();
beforeEach(() => {
  visibility = createMemoryVisibility();
  startShifts.mockReset().mockResolvedValue({ isNeeded: true, started: 0 });
});
const startShifts = jest.fn<StartShifts>();
const batch = (convergeTask: ConvergeTask) =>
  createConvergeBatch({ convergeTask, startShifts, visibility, clock, logger: silentLogger });

describe('createConvergeBatch', () => {
  it('converges each task once, with 20 s to wait in', async () => {
    const convergeTask = jest.fn<ConvergeTask>().mockResolvedValue({ outcome: 'done' });
    const result = await batch(convergeTask)([record('a', '1'), record('b', '2'), record('a', '3')], run);
    expect(result).toEqual({ failedRecordIds: [] });
    expect(convergeTask.mock.calls).toEqual([
      ['a', { ...run, waitBudgetMs: 20_000 }],
      ['b', { ...run, waitBudgetMs: 20_000 }],
    ]);
  });

  it.each([
    [0, 2],
    [2_100, 3],
    [60_000, 10],
  ])(
    'has a record whose task wants %i ms come again in %i s, with all of its task',
    async (waitMs, seconds) => {
      const result = await batch(async (taskId) =>
        taskId === 'a' ? { outcome: 'not-yet', waitMs } : { outcome: 'done' },
      )([record('a', '1'), record('b', '2'), record('a', '3')], run);
      expect(result).toEqual({ failedRecordIds: ['1', '3'] });
      expect(
        visibility.changes.map((change) => [change.receiptHandle, change.visibilityTimeoutSeconds]),
      ).toEqual([
        ['handle-1', seconds],
        ['handle-3', seconds],
      ]);
    },
  );

  it('leaves a task that takes long to the later wakes of the tick, so that they do not pile up', async () => {
    const notYet: ConvergeTask = async () => ({ outcome: 'not-yet', waitMs: 2_000 });
    expect(await batch(notYet)([record('a', '1', 179_999)], run)).toEqual({ failedRecordIds: ['1'] });
    expect(await batch(notYet)([record('a', '1', 180_000)], run)).toEqual({ failedRecordIds: [] });
    expect(await batch(notYet)([record('a', '1', 180_000), record('a', '2')], run)).toEqual({
      failedRecordIds: ['1', '2'],
    });
  });

  it('gives back what failed for another cause, after the queue’s own time, and no other', async () => {
    const result = await batch(async (taskId) => {
      if (taskId === 'a') throw new Error('the table does not answer');
      return { outcome: 'done' };
    })([record('a', '1'), record('b', '2')], run);
    expect(result).toEqual({ failedRecordIds: ['1'] });
    expect(visibility.changes).toEqual([]);
  });

  it('drops what names no task', async () => {
    const convergeTask = jest.fn<ConvergeTask>();
    const odd = { ...record('a', '1'), body: 'nonsense' };
    expect(await batch(convergeTask)([odd], run)).toEqual({ failedRecordIds: [] });
    expect(convergeTask).not.toHaveBeenCalled();
  });

  describe('the watch over shifts', () => {
    const convergeTask = jest.fn<ConvergeTask>();
    const watch = (ageMs: number) => ({ ...record('', '1', ageMs), body: SHIFT_WATCH });

    it('looks after them every 10 s until the next tick', async () => {
      expect(await batch(convergeTask)([watch(49_999)], run)).toEqual({ failedRecordIds: ['1'] });
      expect(visibility.changes).toMatchObject([{ visibilityTimeoutSeconds: 10 }]);
      expect(await batch(convergeTask)([watch(50_000)], run)).toEqual({ failedRecordIds: [] });
      expect(startShifts.mock.calls).toEqual([[{ onlyKilled: true }], [{ onlyKilled: true }]]);
      expect(convergeTask).not.toHaveBeenCalled();
    });

    it('comes again when it could not look', async () => {
      startShifts.mockRejectedValue(new Error('the table does not answer'));
      expect(await batch(convergeTask)([watch(60_000)], run)).toEqual({ failedRecordIds: ['1'] });
    });
  });
});
