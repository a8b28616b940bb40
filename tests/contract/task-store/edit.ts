import { describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import type { Task } from '../../../lib/domain/tasks/task.ts';
import { business, definitionWith } from '../../helpers/tasks.ts';
import { at, type TaskStoreKit } from './kit.ts';

/** Changes of the definition. */
export function describeEdit(kit: TaskStoreKit): void {
  const { created, paused, running, settle, want } = kit;

  describe('saveDefinition', () => {
    const edit = (task: Task, changes: object = {}) =>
      kit.tasks.saveDefinition({
        taskId: task.taskId,
        expectedVersion: 1,
        definition: task.definition,
        direction: task.direction,
        sourceRegion: task.sourceRegion,
        at,
        ...changes,
      });

    it('makes the next revision and keeps the old one', async () => {
      const task = await paused();
      const definition = { ...task.definition, description: 'new' };
      const edited = await edit(task, { definition, details: { changed: ['description'] } });
      expect(edited).toMatchObject({ version: 2, definition, desired: 'paused', status: 'paused' });
      expect(await kit.tasks.get(task.taskId)).toEqual(edited);
      const { items } = await kit.tasks.listRevisions(task.taskId, { limit: 10 });
      expect(items.map((revision) => [revision.version, revision.definition])).toEqual([
        [2, definition],
        [1, task.definition],
      ]);
      expect((await kit.tasks.listEvents(task.taskId, { limit: 1 })).items).toEqual([
        expect.objectContaining({ code: 'TASK_EDITED', details: { changed: ['description'] } }),
      ]);
    });

    it('refuses another version, and tells the present one', async () => {
      const task = await paused();
      await edit(task);
      await expect(edit(task)).rejects.toMatchObject({
        status: 412,
        code: 'VERSION_MISMATCH',
        extensions: { currentVersion: 2 },
      });
    });

    it('lets exactly one of 10 parallel edits win', async () => {
      const task = await paused();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) =>
          edit(task, { definition: { ...task.definition, description: `edit ${index}` } }),
        ),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await kit.tasks.get(task.taskId)).toMatchObject({ version: 2 });
    });

    it('refuses while the task is wanted running', async () => {
      await expect(edit(await running())).rejects.toMatchObject({ status: 409, code: 'TASK_RUNNING' });
    });

    it('refuses until the pause is carried out', async () => {
      const task = await running();
      await want(task.taskId, 'paused');
      await expect(edit(task)).rejects.toMatchObject({ code: 'TASK_RUNNING' });
      await settle(task.taskId, 'paused');
      await expect(edit(task)).resolves.toMatchObject({ version: 2 });
    });

    it('refuses a task that is being deleted, and one that never was', async () => {
      const task = await paused();
      await want(task.taskId, 'deleted');
      await expect(edit(task)).rejects.toMatchObject({ code: 'TASK_DELETING' });
      await expect(edit({ ...task, taskId: ulid() })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    });

    it('moves the name: the new one is taken, the old one free', async () => {
      const task = await paused();
      const definition = definitionWith();
      await edit(task, { definition });
      await expect(created({ definition })).rejects.toMatchObject({ code: 'TASK_NAME_TAKEN' });
      await expect(created({ definition: task.definition })).resolves.toBeDefined();
      const other = await paused();
      await expect(edit(other, { definition })).rejects.toMatchObject({ code: 'TASK_NAME_TAKEN' });
    });

    it('moves the use of clusters and topics', async () => {
      const { clusters } = kit.stores;
      const task = await paused({ rocketmqTopic: 'charger_status' });
      await clusters.put('second', business, { at });
      await clusters.putTopic('second', 'status', 'NORMAL', { at });
      await edit(task, {
        definition: definitionWith({ target: { clusterId: 'second', topic: 'status' } }),
        rocketmqTopic: 'status',
      });
      await expect(clusters.deleteTopic('second', 'status')).rejects.toMatchObject({ code: 'TOPIC_IN_USE' });
      await expect(clusters.delete('second')).rejects.toMatchObject({ code: 'CLUSTER_IN_USE' });
      await expect(clusters.delete('devices')).rejects.toMatchObject({ code: 'CLUSTER_IN_USE' });
      await clusters.deleteTopic('business', 'charger_status');
      await clusters.delete('business');
    });

    it('refuses a new target that is not registered', async () => {
      const task = await paused();
      await expect(
        edit(task, { definition: definitionWith({ target: { clusterId: 'nobody', topic: 'x' } }) }),
      ).rejects.toMatchObject({ code: 'CLUSTER_NOT_FOUND' });
      await expect(edit(task, { rocketmqTopic: 'unknown' })).rejects.toMatchObject({
        code: 'TOPIC_NOT_FOUND',
      });
    });
  });
}
