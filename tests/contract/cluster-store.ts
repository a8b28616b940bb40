import { beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import type { ClusterStore } from '../../lib/ports/cluster-store.ts';
import { business, definitionWith, devices, newTaskWith, registerClusters } from '../helpers/tasks.ts';
import type { BuildStores, Stores } from './stores.ts';
import { allPages } from './task-store/kit.ts';

const at = '2026-08-01T10:00:00.000Z';
const later = '2026-08-02T10:00:00.000Z';

/** What every store of clusters and registered topics promises. */
export function describeClusterStore(name: string, build: BuildStores): void {
  describe(`ClusterStore, ${name}`, () => {
    let stores: Stores;
    let clusters: ClusterStore;

    beforeEach(async () => {
      stores = await build();
      clusters = stores.clusters;
    });

    describe('put', () => {
      it('creates, then replaces as a whole', async () => {
        const { cluster, created } = await clusters.put(
          'business',
          { ...business, secretRef: 'arn:…' } as typeof business,
          { at },
        );
        expect(created).toBe(true);
        expect(cluster).toEqual({
          ...business,
          secretRef: 'arn:…',
          clusterId: 'business',
          version: 1,
          createdAt: at,
          updatedAt: at,
        });
        expect(await clusters.get('business')).toEqual(cluster);
        const replaced = await clusters.put('business', business, { at: later });
        expect(replaced).toEqual({
          created: false,
          cluster: { ...business, clusterId: 'business', version: 2, createdAt: at, updatedAt: later },
        });
        expect(await clusters.get('business')).toEqual(replaced.cluster);
      });

      it('never changes the kind', async () => {
        await clusters.put('business', business, { at });
        await expect(clusters.put('business', devices, { at })).rejects.toMatchObject({
          status: 409,
          code: 'KIND_FIXED',
        });
      });

      it('refuses another version than expected, and an expected version of nothing', async () => {
        await clusters.put('business', business, { at });
        await clusters.put('business', business, { at, expectedVersion: 1 });
        await expect(clusters.put('business', business, { at, expectedVersion: 1 })).rejects.toMatchObject({
          status: 412,
          code: 'VERSION_MISMATCH',
          extensions: { currentVersion: 2 },
        });
        await expect(clusters.put('new', business, { at, expectedVersion: 1 })).rejects.toMatchObject({
          code: 'CLUSTER_NOT_FOUND',
        });
      });

      it('numbers parallel replacements one by one', async () => {
        const puts = Array.from({ length: 8 }, () => clusters.put('business', business, { at }));
        const versions = (await Promise.all(puts)).map(({ cluster }) => cluster.version);
        expect(versions.sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      });

      it('keeps the use by tasks, and refuses a change meant for unused ones', async () => {
        await registerClusters(clusters);
        await stores.tasks.create(newTaskWith());
        await clusters.put('devices', { ...devices, name: 'Renamed' }, { at });
        await expect(clusters.put('devices', devices, { at, onlyUnused: true })).rejects.toMatchObject({
          code: 'CLUSTER_IN_USE',
          extensions: { tasks: 1 },
        });
        await expect(clusters.delete('devices')).rejects.toMatchObject({ code: 'CLUSTER_IN_USE' });
      });
    });

    describe('list', () => {
      it('pages in the order of ids and filters by region and kind', async () => {
        for (const id of ['d', 'a', 'c', 'b']) await clusters.put(id, business, { at });
        await clusters.put('far', { ...devices, region: 'us-east-1' }, { at });
        const idsOf = async (filter: Parameters<ClusterStore['list']>[0]) =>
          (await allPages((cursor) => clusters.list(filter, { limit: 2, ...cursor }))).map(
            ({ clusterId }) => clusterId,
          );
        expect(await idsOf({})).toEqual(['a', 'b', 'c', 'd', 'far']);
        expect(await idsOf({ region: 'us-east-1' })).toEqual(['far']);
        expect(await idsOf({ kind: 'rocketmq' })).toEqual(['a', 'b', 'c', 'd']);
        expect(await idsOf({ kind: 'rocketmq', region: 'us-east-1' })).toEqual([]);
      });

      it('refuses a cursor it did not give', async () => {
        await expect(clusters.list({}, { limit: 2, cursor: 'zzz' })).rejects.toMatchObject({
          code: 'CURSOR_INVALID',
        });
      });
    });

    describe('delete', () => {
      it('removes the cluster and its topics', async () => {
        await registerClusters(clusters);
        await clusters.delete('business', { expectedVersion: 1 });
        expect(await clusters.get('business')).toBeUndefined();
        await clusters.put('business', business, { at });
        expect((await clusters.listTopics('business', { limit: 10 })).items).toEqual([]);
      });

      it('refuses another version, and a cluster that is not there', async () => {
        await registerClusters(clusters);
        await expect(clusters.delete('business', { expectedVersion: 2 })).rejects.toMatchObject({
          code: 'VERSION_MISMATCH',
        });
        await expect(clusters.delete('nobody')).rejects.toMatchObject({
          status: 404,
          code: 'CLUSTER_NOT_FOUND',
        });
      });

      it('either is refused or makes the creation of a task fail, when both run at once', async () => {
        for (let round = 0; round < 5; round += 1) {
          await registerClusters(clusters);
          const input = newTaskWith({ rocketmqTopic: 'charger_status' });
          const [creation, deletion] = await Promise.allSettled([
            stores.tasks.create(input),
            clusters.delete('business'),
          ]);
          expect([creation.status, deletion.status].sort()).toEqual(['fulfilled', 'rejected']);
          const isCreated = creation.status === 'fulfilled';
          expect(await clusters.get('business')).toEqual(isCreated ? expect.anything() : undefined);
          expect(await stores.tasks.get(input.taskId)).toEqual(isCreated ? expect.anything() : undefined);
          if (isCreated) await removeTask(input.taskId);
        }
      });
    });

    describe('topics', () => {
      beforeEach(async () => {
        await clusters.put('business', business, { at });
      });

      it('are registered, changed, listed in order, read and deleted', async () => {
        for (const topic of ['b', 'c', 'a']) await clusters.putTopic('business', topic, 'NORMAL', { at });
        const changed = await clusters.putTopic('business', 'b', 'FIFO', { at: later });
        const expected = {
          clusterId: 'business',
          topic: 'b',
          type: 'FIFO',
          createdAt: at,
          updatedAt: later,
        } as const;
        expect(changed).toEqual({ topic: expected, created: false, tasks: 0 });
        expect(await clusters.getTopic('business', 'b')).toEqual(expected);
        const topics = await allPages((cursor) => clusters.listTopics('business', { limit: 2, ...cursor }));
        expect(topics.map(({ topic }) => topic)).toEqual(['a', 'b', 'c']);
        await clusters.deleteTopic('business', 'b');
        expect(await clusters.getTopic('business', 'b')).toBeUndefined();
        await expect(clusters.deleteTopic('business', 'b')).rejects.toMatchObject({
          status: 404,
          code: 'TOPIC_NOT_FOUND',
        });
      });

      it('need their cluster', async () => {
        const missing = { code: 'CLUSTER_NOT_FOUND' };
        await expect(clusters.putTopic('nobody', 'a', 'NORMAL', { at })).rejects.toMatchObject(missing);
        await expect(clusters.listTopics('nobody', { limit: 1 })).rejects.toMatchObject(missing);
        await expect(clusters.deleteTopic('nobody', 'a')).rejects.toMatchObject(missing);
        expect(await clusters.getTopic('nobody', 'a')).toBeUndefined();
      });

      it('are kept while a task pulls from them', async () => {
        await registerClusters(clusters);
        const definition = definitionWith({
          source: { clusterId: 'business', topic: 'charger_status' },
          target: { clusterId: 'devices', topic: 'a' },
        });
        const input = newTaskWith({
          definition,
          direction: 'rocketmq-to-mqtt',
          rocketmqTopic: 'charger_status',
        });
        await stores.tasks.create(input);
        await expect(clusters.deleteTopic('business', 'charger_status')).rejects.toMatchObject({
          code: 'TOPIC_IN_USE',
          extensions: { tasks: 1 },
        });
        await removeTask(input.taskId);
        await expect(clusters.deleteTopic('business', 'charger_status')).resolves.toBeUndefined();
      });

      it('are kept while a task names them', async () => {
        await registerClusters(clusters);
        await stores.tasks.create(newTaskWith({ rocketmqTopic: 'charger_status' }));
        await expect(clusters.deleteTopic('business', 'charger_status')).rejects.toMatchObject({
          status: 409,
          code: 'TOPIC_IN_USE',
          extensions: { tasks: 1 },
        });
        expect(await clusters.putTopic('business', 'charger_status', 'FIFO', { at })).toMatchObject({
          created: false,
          tasks: 1,
        });
        await expect(clusters.deleteTopic('business', 'charger_status')).rejects.toMatchObject({
          code: 'TOPIC_IN_USE',
        });
      });
    });

    const removeTask = async (taskId: string): Promise<void> => {
      const lease = await stores.tasks.acquireLease(taskId, ulid(), 60_000);
      if (lease === undefined) throw new Error('not leased');
      await stores.tasks.saveProgress(lease, { status: 'paused' });
      await stores.tasks.setDesired({ taskId, desired: 'deleted', concurrencyLimit: 0, at });
      await stores.tasks.remove(lease);
    };
  });

  describe(`StackStore, ${name}`, () => {
    it('begins empty, keeps what it is told', async () => {
      const { stack } = await build();
      expect(await stack.read()).toEqual({ removing: false, usedConcurrency: 0 });
      await stack.recordUnreservedConcurrency(900, at);
      await stack.markRemoving(at);
      await stack.recordUnreservedConcurrency(800, at);
      expect(await stack.read()).toEqual({
        removing: true,
        usedConcurrency: 0,
        unreservedConcurrency: 800,
      });
    });
  });
}
