import { beforeEach, describe, expect, it } from '@jest/globals';
import { createDeleteCluster } from '../../../lib/control/clusters/delete-cluster.ts';
import { createDeleteTopic } from '../../../lib/control/clusters/delete-topic.ts';
import { createGetCluster } from '../../../lib/control/clusters/get-cluster.ts';
import { createGetTopic } from '../../../lib/control/clusters/get-topic.ts';
import { createListClusters } from '../../../lib/control/clusters/list-clusters.ts';
import { createListEvents } from '../../../lib/control/tasks/list-events.ts';
import { createListRevisions } from '../../../lib/control/tasks/list-revisions.ts';
import { createListTasks } from '../../../lib/control/tasks/list-tasks.ts';
import type { Task } from '../../../lib/domain/tasks/task.ts';
import { type ControlWorld, createControlWorld } from '../../helpers/control-world.ts';
import { definitionWith } from '../../helpers/tasks.ts';

let world: ControlWorld;
let task: Task;

beforeEach(async () => {
  world = await createControlWorld();
  task = (await world.createTask({ body: definitionWith(), startNow: false })).task;
});

describe('createListTasks', () => {
  it('hands filter and cursor on', async () => {
    const listTasks = createListTasks({ ...world, liveStatus: async (one) => one });
    world.clock.advance(1);
    await world.createTask({ body: definitionWith(), startNow: false });
    const first = await listTasks({ filter: {}, limit: 1 });
    const second = await listTasks({ filter: {}, limit: 1, cursor: first.nextCursor });
    expect(second.items).toEqual([task]);
    expect(second).not.toHaveProperty('nextCursor');
    expect(await listTasks({ filter: { status: 'running' }, limit: 1 })).toEqual({ items: [] });
  });
});

describe('createListEvents', () => {
  it('lists them, also of a task that is gone, and refuses one that never was', async () => {
    const listEvents = createListEvents(world);
    await world.settle(task.taskId, 'paused');
    await world.deleteTask({ taskId: task.taskId, discardBacklog: false });
    const lease = await world.tasks.acquireLease(task.taskId, 'converge', 60_000);
    if (lease === undefined) throw new Error('not leased');
    await world.tasks.remove(lease);
    const { items, nextCursor } = await listEvents({ taskId: task.taskId, limit: 1 });
    const rest = await listEvents({ taskId: task.taskId, limit: 1, cursor: nextCursor });
    const codes = [...items, ...rest.items].map(({ code }) => code);
    expect(codes).toEqual(['DELETION_REQUESTED', 'TASK_CREATED']);
    await expect(listEvents({ taskId: 'nobody', limit: 10 })).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
    });
  });
});

describe('createListRevisions', () => {
  it('lists them, and refuses a task that never was', async () => {
    const listRevisions = createListRevisions(world);
    const patch = { description: 'new' };
    await world.editTask({ taskId: task.taskId, expectedVersion: 1, patch });
    const { items, nextCursor } = await listRevisions({ taskId: task.taskId, limit: 1 });
    expect(items).toEqual([expect.objectContaining({ version: 2 })]);
    const rest = await listRevisions({ taskId: task.taskId, limit: 1, cursor: nextCursor });
    expect(rest).toEqual({
      items: [expect.objectContaining({ version: 1, definition: task.definition })],
    });
    await expect(listRevisions({ taskId: 'nobody', limit: 10 })).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
    });
  });
});

describe('createGetTask', () => {
  it('reads a task, and refuses one that is not there', async () => {
    expect(await world.getTask(task.taskId)).toEqual(task);
    await expect(world.getTask('nobody')).rejects.toMatchObject({ status: 404, code: 'TASK_NOT_FOUND' });
  });
});

describe('clusters and topics', () => {
  it('are read, and refused with 404 where there are none', async () => {
    const getCluster = createGetCluster(world);
    const getTopic = createGetTopic({ clusters: world.clusters, getCluster });
    expect(await getCluster('devices')).toMatchObject({ clusterId: 'devices', kind: 'aws-iot' });
    await expect(getCluster('nobody')).rejects.toMatchObject({ status: 404, code: 'CLUSTER_NOT_FOUND' });
    expect(await getTopic({ clusterId: 'business', topic: 'charger_status' })).toMatchObject({
      type: 'NORMAL',
    });
    await expect(getTopic({ clusterId: 'business', topic: 'x' })).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
    });
    await expect(getTopic({ clusterId: 'nobody', topic: 'x' })).rejects.toMatchObject({
      code: 'CLUSTER_NOT_FOUND',
    });
  });

  it('are listed page by page', async () => {
    const listClusters = createListClusters(world);
    const first = await listClusters({ limit: 1 });
    expect(first.items.map(({ clusterId }) => clusterId)).toEqual(['business']);
    const second = await listClusters({ limit: 1, cursor: first.nextCursor });
    expect(second.items.map(({ clusterId }) => clusterId)).toEqual(['devices']);
    expect((await listClusters({ kind: 'aws-iot', region: 'eu-west-1', limit: 9 })).items).toHaveLength(1);
  });

  it('are deleted unless a task uses them', async () => {
    const deleteCluster = createDeleteCluster(world);
    const deleteTopic = createDeleteTopic(world);
    await expect(deleteCluster({ clusterId: 'devices' })).rejects.toMatchObject({ code: 'CLUSTER_IN_USE' });
    const used = { clusterId: 'business', topic: 'charger_status' };
    await expect(deleteTopic(used)).rejects.toMatchObject({ code: 'TOPIC_IN_USE' });
    await world.putTopic({ clusterId: 'business', topic: 'unused', type: 'NORMAL' });
    await deleteTopic({ clusterId: 'business', topic: 'unused' });
    await world.clusters.put(
      'spare',
      { kind: 'aws-iot', name: 'S', region: 'eu-west-1' },
      { at: task.createdAt },
    );
    await expect(deleteCluster({ clusterId: 'spare', expectedVersion: 2 })).rejects.toMatchObject({
      status: 412,
    });
    await deleteCluster({ clusterId: 'spare', expectedVersion: 1 });
  });
});
