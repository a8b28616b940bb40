import { describe, expect, it, jest } from '@jest/globals';
import type { Cluster } from '../../../../lib/domain/clusters/cluster.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import { createCompiledTasks } from '../../../../lib/replication/compiled-tasks.ts';
import { type PrepareOptions, prepareBatch } from '../../../../lib/replication/rule-path/prepare-batch.ts';
import { createTaskTable, rocketmqCluster, ruleTask, TASK_ID } from '../../../helpers/rule-path.ts';

const AT_ONCE = { sleep: async () => undefined };

const prepare = (task: Task | undefined, changes: Partial<PrepareOptions> = {}) =>
  prepareBatch(TASK_ID, {
    tasks: createTaskTable(task),
    clusters: { get: async () => rocketmqCluster() },
    compileTask: createCompiledTasks(),
    clock: AT_ONCE,
    ...changes,
  });

const awayTable = async () => {
  throw new TypeError('fetch failed');
};

describe('prepareBatch', () => {
  it('answers task, cluster and compiled definition', async () => {
    await expect(prepare(ruleTask())).resolves.toMatchObject({
      ok: true,
      batch: { task: { taskId: TASK_ID }, cluster: { clusterId: 'business' } },
    });
  });

  it('reads both anew each time', async () => {
    const table = createTaskTable(ruleTask());
    const get = jest.fn<(id: string) => Promise<Cluster>>().mockResolvedValue(rocketmqCluster());
    const options = { tasks: table, clusters: { get }, compileTask: createCompiledTasks(), clock: AT_ONCE };
    await prepareBatch(TASK_ID, options);
    table.task = ruleTask({ target: { clusterId: 'elsewhere', topic: 'other' } }, { version: 4 });
    await expect(prepareBatch(TASK_ID, options)).resolves.toMatchObject({ batch: { task: { version: 4 } } });
    expect(get.mock.calls).toEqual([['business'], ['elsewhere']]);
  });

  it('asks a throttled table some more before it gives the batch back', async () => {
    const table = createTaskTable(ruleTask());
    let refused = 0;
    const get = async (taskId: string) => {
      refused += 1;
      if (refused <= 2) throw new Error('throttled');
      return table.get(taskId);
    };
    await expect(prepare(ruleTask(), { tasks: { get } })).resolves.toMatchObject({ ok: true });
    let asked = 0;
    const neverGet = async () => {
      asked += 1;
      throw new Error('throttled');
    };
    await expect(prepare(ruleTask(), { tasks: { get: neverGet } })).resolves.toMatchObject({ ok: false });
    expect(asked).toBe(5);
  });

  it.each<[string, Task | undefined, Partial<PrepareOptions>, string]>([
    ['a task that does not exist', undefined, {}, 'retry'],
    ['a table that is away', ruleTask(), { tasks: { get: awayTable } }, 'retry'],
    ['a table that is away at the second read', ruleTask(), { clusters: { get: awayTable } }, 'retry'],
    ['a cluster that is gone', ruleTask(), { clusters: { get: async () => undefined } }, 'hold'],
    [
      'a cluster of another kind',
      ruleTask(),
      { clusters: { get: async () => ({ ...rocketmqCluster(), kind: 'aws-iot' }) as Cluster } },
      'hold',
    ],
    [
      'a task of the other direction',
      ruleTask({
        source: { clusterId: 'business', topic: 'x' },
        target: { clusterId: 'devices', topic: '${key}' },
      }),
      {},
      'hold',
    ],
    ['a definition that does not compile', ruleTask({ target: { clusterId: 'b', topic: '${' } }), {}, 'hold'],
  ])('never makes dead letters because of %s', async (_what, task, changes, reaction) => {
    await expect(prepare(task, changes)).resolves.toMatchObject({ ok: false, error: { reaction } });
  });
});
