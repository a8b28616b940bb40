import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type DesiredState,
  TASK_STATUSES,
  type Task,
  type TaskStatus,
} from '../../../../lib/domain/tasks/task.ts';
import { newTask } from '../../../../lib/domain/tasks/task-changes.ts';
import {
  checkEditable,
  mayMove,
  planDesired,
  reservedUnits,
  STATUS_MOVES,
  STATUSES_WHILE,
  statusAfter,
  wishesFor,
} from '../../../../lib/domain/tasks/task-lifecycle.ts';
import { newTaskWith } from '../../../helpers/tasks.ts';

const at = '2026-08-01T10:00:00.000Z';
const DESIRED: readonly DesiredState[] = ['running', 'paused', 'deleted'];
const taskWith = (desired: DesiredState, status: TaskStatus): Task => ({
  ...newTask(newTaskWith()),
  desired,
  status,
});
const plan = (task: Task, desired: DesiredState, held = 0) => planDesired(task, { desired, at }, held);
const every = fc.record({
  desired: fc.constantFrom(...DESIRED),
  status: fc.constantFrom(...TASK_STATUSES),
});

describe('mayMove', () => {
  it.each([
    ['creating', 'paused'],
    ['creating', 'starting'],
    ['starting', 'running'],
    ['running', 'degraded'],
    ['degraded', 'running'],
    ['degraded', 'pausing'],
    ['pausing', 'paused'],
    ['paused', 'deleting'],
    ['failed', 'deleting'],
    ['deleting', 'paused'],
    ['running', 'running'],
  ] as const)('lets %s be followed by %s', (from, to) => {
    expect(mayMove(from, to)).toBe(true);
  });

  it.each([
    ['running', 'paused'],
    ['running', 'deleting'],
    ['paused', 'running'],
    ['creating', 'running'],
    ['deleting', 'running'],
  ] as const)('does not let %s be followed by %s', (from, to) => {
    expect(mayMove(from, to)).toBe(false);
  });

  it('lets every status fail, and leads from each to paused and to deleting', () => {
    const reachable = (from: TaskStatus): Set<TaskStatus> => {
      const seen = new Set<TaskStatus>([from]);
      for (const status of seen) for (const next of STATUS_MOVES[status]) seen.add(next);
      return seen;
    };
    for (const status of TASK_STATUSES) {
      expect(mayMove(status, 'failed')).toBe(true);
      expect([...reachable(status)]).toEqual(expect.arrayContaining(['paused', 'deleting']));
    }
  });
});

describe('statusAfter', () => {
  it('is a status that fits what is wanted', () => {
    for (const status of TASK_STATUSES) {
      for (const desired of DESIRED) expect(STATUSES_WHILE[desired]).toContain(statusAfter(status, desired));
    }
  });

  it('leaves a task that is being created so', () => {
    expect(statusAfter('creating', 'running')).toBe('creating');
    expect(statusAfter('creating', 'paused')).toBe('creating');
  });
});

describe('wishesFor', () => {
  it('is the reverse of STATUSES_WHILE', () => {
    for (const status of TASK_STATUSES) {
      for (const desired of DESIRED) {
        expect(wishesFor(status).includes(desired)).toBe(STATUSES_WHILE[desired].includes(status));
      }
    }
  });
});

describe('planDesired', () => {
  it('writes nothing where the wish is the same, except for a new try of what failed', () => {
    fc.assert(
      fc.property(every, ({ desired, status }) => {
        fc.pre(desired !== 'deleted');
        const isRetry = desired === 'running' && status === 'failed';
        expect(plan(taskWith(desired, status), desired) === undefined).toBe(!isRetry);
      }),
    );
  });

  it('leaves exactly the reserved concurrency that is wanted, whatever was held', () => {
    fc.assert(
      fc.property(every, fc.nat(1000), fc.constantFrom(...DESIRED), ({ desired, status }, held, wanted) => {
        const task = taskWith(desired, status);
        let planned: ReturnType<typeof plan>;
        try {
          planned = plan(task, wanted, held);
        } catch {
          return;
        }
        if (planned !== undefined) {
          expect(held + planned.reserve).toBe(reservedUnits(task.definition, wanted));
        }
      }),
    );
  });

  it('allows a deletion exactly of paused and failed tasks', () => {
    for (const status of TASK_STATUSES) {
      for (const desired of ['running', 'paused'] as const) {
        const allowed = status === 'failed' || (status === 'paused' && desired === 'paused');
        const deleting = () => plan(taskWith(desired, status), 'deleted');
        if (allowed) expect(deleting()).toMatchObject({ changes: { status: 'deleting' } });
        else expect(deleting).toThrow(expect.objectContaining({ status: 409, code: 'TASK_RUNNING' }));
      }
    }
  });

  it('sets the time of the first start only', () => {
    const task = taskWith('paused', 'paused');
    expect(plan(task, 'running')?.changes).toMatchObject({ startedAt: at });
    expect(plan({ ...task, startedAt: at }, 'running')?.changes).not.toHaveProperty('startedAt');
  });

  it('says discard only of a deletion', () => {
    const discard = (desired: DesiredState) =>
      planDesired(taskWith('paused', 'paused'), { desired, at, discardBacklog: true }, 0)?.changes;
    expect(discard('deleted')).toMatchObject({ discardBacklog: true });
    expect(discard('running')).not.toHaveProperty('discardBacklog');
  });

  it('lets a deletion under way learn that it may throw away what waits, once, of the version it was asked for', () => {
    const deleting = taskWith('deleted', 'deleting');
    const change = { desired: 'deleted', at, discardBacklog: true } as const;
    expect(planDesired(deleting, change, 0)).toEqual({
      changes: { desired: 'deleted', status: 'deleting', updatedAt: at, discardBacklog: true },
      reserve: 0,
    });
    expect(planDesired({ ...deleting, discardBacklog: true }, change, 0)).toBeUndefined();
    expect(() => planDesired(deleting, { ...change, expectedVersion: 7 }, 0)).toThrow(
      expect.objectContaining({ code: 'VERSION_MISMATCH' }),
    );
  });

  it('takes a deletion as final', () => {
    expect(plan(taskWith('deleted', 'deleting'), 'deleted')).toBeUndefined();
    expect(() => plan(taskWith('deleted', 'failed'), 'running')).toThrow(
      expect.objectContaining({ code: 'TASK_DELETING' }),
    );
  });
});

describe('checkEditable', () => {
  it('allows an edit exactly while nothing runs, of the version that was read', () => {
    for (const status of TASK_STATUSES) {
      const allowed = ['creating', 'paused', 'failed'].includes(status);
      const editing = () => checkEditable(taskWith('paused', status), 1);
      if (allowed) expect(editing).not.toThrow();
      else expect(editing).toThrow(expect.objectContaining({ code: 'TASK_RUNNING' }));
      expect(() => checkEditable(taskWith('running', status), 1)).toThrow(
        expect.objectContaining({ status: 409, code: 'TASK_RUNNING' }),
      );
    }
    expect(() => checkEditable(taskWith('paused', 'paused'), 2)).toThrow(
      expect.objectContaining({ status: 412, extensions: { currentVersion: 1 } }),
    );
    expect(() => checkEditable(taskWith('deleted', 'deleting'), 1)).toThrow(
      expect.objectContaining({ code: 'TASK_DELETING' }),
    );
  });
});

describe('reservedUnits', () => {
  it('is the concurrency of a rule task that is wanted running', () => {
    const { definition } = newTaskWith();
    expect(reservedUnits(definition, 'running')).toBe(5);
    expect(reservedUnits(definition, 'paused')).toBe(0);
    const session = { ...definition, options: { ...definition.options, via: 'session' as const } };
    expect(reservedUnits(session, 'running')).toBe(0);
    const pull = { ...definition, source: { clusterId: 'business', topic: 'commands' } };
    expect(reservedUnits(pull, 'running')).toBe(0);
  });
});
