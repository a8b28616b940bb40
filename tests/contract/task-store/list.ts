import { describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import type { TaskStore } from '../../../lib/ports/task-store.ts';
import { business, definitionWith } from '../../helpers/tasks.ts';
import { allPages, at, MINUTE_MS, type TaskStoreKit } from './kit.ts';

/** Pages, filters and cursors. */
export function describeList(kit: TaskStoreKit): void {
  const { created, paused, codesOf } = kit;

  describe('list', () => {
    it('pages through all tasks, newest first, each once', async () => {
      const made: string[] = [];
      for (let index = 0; index < 7; index += 1) {
        const taskId = ulid(1_700_000_000_000 + index);
        made.unshift((await created({ taskId })).taskId);
      }
      expect(await allPages((cursor) => kit.tasks.list({}, { limit: 3, ...cursor }))).toEqual(
        made.map((taskId) => expect.objectContaining({ taskId })),
      );
    });

    it('filters by status, direction, cluster and text', async () => {
      const needle = await paused({
        definition: definitionWith({ taskName: 'Charger-Wills', description: 'Last words of a station' }),
      });
      await kit.stores.clusters.put('elsewhere', business, { at });
      const other = await created({
        definition: definitionWith({ target: { clusterId: 'elsewhere', topic: 'x' } }),
      });
      const idsOf = async (filter: Parameters<TaskStore['list']>[0]) =>
        (await allPages((cursor) => kit.tasks.list(filter, { limit: 1, ...cursor }))).map(
          ({ taskId }) => taskId,
        );
      expect(await idsOf({ status: 'paused' })).toEqual([needle.taskId]);
      expect(await idsOf({ clusterId: 'elsewhere' })).toEqual([other.taskId]);
      expect(await idsOf({ clusterId: 'devices' })).toHaveLength(2);
      expect(await idsOf({ query: 'charger-w' })).toEqual([needle.taskId]);
      expect(await idsOf({ query: 'WORDS' })).toEqual([needle.taskId]);
      expect(await idsOf({ direction: 'rocketmq-to-mqtt' })).toEqual([]);
      expect(await idsOf({ status: 'paused', clusterId: 'elsewhere' })).toEqual([]);
    });

    it.each(['', 'x', 'bm90IG91cnM', 'é'])('refuses the cursor %j', async (cursor) => {
      await expect(kit.tasks.list({}, { limit: 3, cursor })).rejects.toMatchObject({
        status: 400,
        code: 'CURSOR_INVALID',
      });
    });

    it('refuses the cursor of another list', async () => {
      const { taskId } = await created();
      await kit.tasks.appendEvent(taskId, { at, code: 'NOTE', message: 'a second event' });
      const { nextCursor } = await kit.tasks.listEvents(taskId, { limit: 1 });
      await expect(kit.tasks.list({}, { limit: 3, cursor: String(nextCursor) })).rejects.toMatchObject({
        code: 'CURSOR_INVALID',
      });
    });
  });

  describe('events', () => {
    it('come newest first, page by page', async () => {
      const { taskId } = await created();
      for (let index = 0; index < 5; index += 1) {
        const eventAt = new Date(Date.parse(at) + MINUTE_MS + index).toISOString();
        await kit.tasks.appendEvent(taskId, {
          at: eventAt,
          code: `E${index}`,
          message: 'm',
          details: { index },
        });
      }
      const events = await allPages((cursor) => kit.tasks.listEvents(taskId, { limit: 2, ...cursor }));
      expect(events.map(({ code }) => code)).toEqual(['E4', 'E3', 'E2', 'E1', 'E0', 'TASK_CREATED']);
      expect(events[0]).toMatchObject({
        eventId: expect.stringMatching(/^[0-9A-Z]{26}$/),
        details: { index: 4 },
      });
    });

    it('are gone after 90 days', async () => {
      const { taskId } = await created();
      kit.stores.clock.advance(90 * 24 * 60 * MINUTE_MS + MINUTE_MS);
      expect(await codesOf(taskId)).toEqual([]);
    });
  });

  describe('revisions', () => {
    it('come newest first, page by page', async () => {
      const task = await paused();
      for (let version = 1; version < 12; version += 1) {
        const definition = { ...task.definition, description: `revision ${version + 1}` };
        const { direction, sourceRegion } = task;
        await kit.tasks.saveDefinition({
          taskId: task.taskId,
          expectedVersion: version,
          definition,
          direction,
          sourceRegion,
          at,
        });
      }
      const revisions = await allPages((cursor) =>
        kit.tasks.listRevisions(task.taskId, { limit: 5, ...cursor }),
      );
      expect(revisions.map(({ version }) => version)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
      expect(await kit.tasks.getRevision(task.taskId, 12)).toMatchObject({
        definition: { description: 'revision 12' },
      });
      expect(await kit.tasks.getRevision(task.taskId, 13)).toBeUndefined();
    });
  });
}
