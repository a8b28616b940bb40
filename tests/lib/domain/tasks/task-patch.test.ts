import { describe, expect, it } from '@jest/globals';
import { TaskPatch } from '../../../../lib/domain/tasks/task-patch.ts';

describe('TaskPatch', () => {
  it.each([
    {},
    { taskName: 'new', description: null },
    { source: { topicFilters: ['a'] }, target: { tag: null }, options: { batch: { maxWaitSeconds: 1 } } },
    { options: null },
  ])('takes %j as it is: no default is put in', (patch) => {
    expect(TaskPatch.parse(patch)).toEqual(patch);
  });

  it.each([
    { unknown: 1 },
    { taskName: null },
    { source: null },
    { target: 'topic' },
    { options: [] },
    [],
    null,
    'x',
  ])('refuses %j', (patch) => {
    expect(TaskPatch.safeParse(patch).success).toBe(false);
  });
});
