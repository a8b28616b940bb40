import { describe, expect, it } from '@jest/globals';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
} from '../../../../lib/domain/errors/errors.ts';
import type { StatusReason, Task } from '../../../../lib/domain/tasks/task.ts';
import { createBatchHealth } from '../../../../lib/replication/rule-path/batch-health.ts';
import {
  createRecordingLogger,
  createSteppingClock,
  createTaskTable,
  NOW_MS,
  ruleTask,
} from '../../../helpers/rule-path.ts';

const away = (code = 'TARGET_UNAVAILABLE') => new BrokerUnavailableError('away', { code });
const refused = new BrokerHoldError('who?', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' });
const degraded = (code: string, about?: 'target'): Pick<Task, 'status' | 'reason'> => {
  const reason: StatusReason = { code, message: '', at: new Date(NOW_MS).toISOString() };
  return { status: 'degraded', reason: about === undefined ? reason : { ...reason, about } };
};

function setUp(facts: Partial<Task> = {}) {
  const table = createTaskTable(ruleTask({}, facts));
  const logger = createRecordingLogger();
  const task = ruleTask({}, facts);
  const health = createBatchHealth({ task, tasks: table, clock: createSteppingClock(), logger });
  const told = () =>
    table.reports.map((report) => (report.status === 'running' ? 'running' : report.reason.code));
  return { table, logger, health, told };
}

describe('createBatchHealth', () => {
  it('reports at once, without being waited for', () => {
    const { health, told } = setUp();
    health.failing('t', away());
    expect(told()).toEqual(['TARGET_UNAVAILABLE']);
  });

  it('says nothing while all is well', async () => {
    const { health, told } = setUp();
    health.working('t');
    await health.settled();
    expect(told()).toEqual([]);
    expect(health.isHealthy()).toBe(true);
  });

  it('reports one code of an outage, and every code that needs a person', async () => {
    const { health, told } = setUp();
    for (const error of [away(), away('TARGET_TIMEOUT'), refused, refused, away()]) {
      health.failing('t', error);
      await health.settled();
    }
    expect(told()).toEqual(['TARGET_UNAVAILABLE', 'CREDENTIALS_REFUSED']);
  });

  it('says nothing of a target that is known to be away', async () => {
    const { health, told } = setUp(degraded('TARGET_UNREACHABLE', 'target'));
    expect(health.isHealthy()).toBe(false);
    health.failing('t', away());
    await health.settled();
    expect(told()).toEqual([]);
    health.working('t');
    await health.settled();
    expect(told()).toEqual(['running']);
    expect(health.isHealthy()).toBe(true);
  });

  it('leaves what others say of the task alone', async () => {
    const { health, told } = setUp(degraded('BUFFER_EXPIRING'));
    health.working('t');
    await health.settled();
    expect(told()).toEqual([]);
  });

  it('waits for the last failing topic', async () => {
    const { health, told } = setUp();
    health.failing('a', away());
    health.failing('b', away());
    health.working('a');
    await health.settled();
    expect(told()).toEqual(['TARGET_UNAVAILABLE']);
    health.working('b');
    await health.settled();
    expect(told()).toEqual(['TARGET_UNAVAILABLE', 'running']);
  });

  it('writes in order, one at a time, what is true at last', async () => {
    const { health, table } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    const written: string[] = [];
    table.reportHealth = async (_taskId, report) => {
      await promise;
      written.push(report.status);
      return true;
    };
    health.failing('t', away());
    health.working('t');
    resolve();
    await health.settled();
    expect(written).toEqual(['degraded', 'running']);
  });

  it('makes an event of what changed, and of nothing that another batch has said before', async () => {
    const { health, table } = setUp();
    health.failing('t', refused);
    await health.settled();
    table.reportHealth = async () => false;
    health.working('t');
    await health.settled();
    const at = new Date(NOW_MS).toISOString();
    const details = { reason: 'CREDENTIALS_REFUSED' };
    expect(table.events).toEqual([{ at, code: 'TASK_DEGRADED', message: 'who?', details }]);
  });

  it('says in an event that the target takes messages again', async () => {
    const { health, table } = setUp(degraded('TARGET_UNREACHABLE', 'target'));
    health.working('t');
    await health.settled();
    expect(table.events).toMatchObject([{ code: 'TASK_RUNNING' }]);
  });

  it('says the status once, though its event cannot be written', async () => {
    const { health, table, logger, told } = setUp();
    table.appendEvent = async () => {
      throw new Error('table away');
    };
    health.failing('t', away());
    await health.settled();
    health.failing('t', away());
    await health.settled();
    health.working('t');
    await health.settled();
    expect(told()).toEqual(['TARGET_UNAVAILABLE', 'running']);
    expect(logger.lines).toMatchObject(Array(2).fill({ level: 'warn', message: 'event not written' }));
  });

  it('makes no event of a target that asks for less, and of its taking more again', async () => {
    const { health, table, told } = setUp();
    health.failing('t', new BrokerThrottledError('busy', { code: 'TARGET_THROTTLED', waitMs: 1_000 }));
    await health.settled();
    health.working('t');
    await health.settled();
    expect(told()).toEqual(['TARGET_THROTTLED', 'running']);
    expect(table.events).toEqual([]);
  });

  it('survives a table that is away, and tries again at the next occasion', async () => {
    const { health, table, logger } = setUp();
    let calls = 0;
    table.reportHealth = async () => {
      calls += 1;
      if (calls === 1) throw new Error('table away');
      return true;
    };
    health.failing('t', away());
    await health.settled();
    health.failing('t', away());
    await health.settled();
    expect(calls).toBe(2);
    expect(logger.lines).toMatchObject([{ level: 'warn', message: 'health not reported' }]);
  });
});
