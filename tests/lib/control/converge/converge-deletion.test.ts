import { describe, expect, it } from '@jest/globals';
import { planDeletion } from '../../../../lib/control/converge/converge-deletion.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import { TaskOptions } from '../../../../lib/domain/tasks/task.ts';

const GONE_AT_MS = 1_000_000;
const TIMES = { settlingMs: 5_000, countLagMs: 60_000 };

const task = (more: Partial<Task>): Task => ({
  taskId: '01JDELETION0000000000000000',
  definition: {
    taskName: 't',
    source: { clusterId: 'devices', topicFilters: ['a'] },
    target: { clusterId: 'business', topic: 'x' },
    options: TaskOptions.parse({}),
  },
  direction: 'mqtt-to-rocketmq',
  sourceRegion: 'eu-west-1',
  desired: 'deleted',
  status: 'deleting',
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  startedAt: '2026-01-01T00:00:00.000Z',
  resources: { rules: {}, inflowEndedAtMs: GONE_AT_MS },
  ...more,
});
const stepAfter = (ms: number, more: Partial<Task> = {}) =>
  planDeletion(task(more), {}, { nowMs: GONE_AT_MS + ms, ...TIMES });

describe('planDeletion', () => {
  it('believes an empty queue only when SQS has had time to count', () => {
    expect(stepAfter(5_000)).toEqual({ kind: 'wait', waitMs: 55_000 });
    expect(stepAfter(60_000)).toEqual({ kind: 'find-queue' });
  });

  it('waits no longer than messages are on their way where the backlog may be discarded', () => {
    expect(stepAfter(4_000, { discardBacklog: true })).toEqual({ kind: 'wait', waitMs: 1_000 });
    expect(stepAfter(5_000, { discardBacklog: true })).toEqual({ kind: 'find-queue' });
  });

  it('does not wait for the count of a task whose rules were never enabled', () => {
    const { startedAt: _, ...never } = task({});
    expect(planDeletion(never, {}, { nowMs: GONE_AT_MS + 5_000, ...TIMES })).toEqual({ kind: 'find-queue' });
  });
});
