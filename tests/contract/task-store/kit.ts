import { beforeEach } from '@jest/globals';
import { ulid } from 'ulid';
import type { DesiredState, Task, TaskStatus } from '../../../lib/domain/tasks/task.ts';
import type { DesiredChange, NewTask, Page, TaskLease, TaskStore } from '../../../lib/ports/task-store.ts';
import { newTaskWith, registerClusters } from '../../helpers/tasks.ts';
import type { BuildStores, Stores } from '../stores.ts';

export const MINUTE_MS = 60_000;
export const at = new Date().toISOString();
export const concurrencyLimit = 100;

/** The stores of the test at hand, with both clusters registered, and the steps that tests take with them. */
export interface TaskStoreKit {
  readonly stores: Stores;
  readonly tasks: TaskStore;
  created(changes?: Partial<NewTask>): Promise<Task>;
  /** Created, and brought to `paused` as converge does. */
  paused(changes?: Partial<NewTask>): Promise<Task>;
  running(changes?: Partial<NewTask>): Promise<Task>;
  settle(taskId: string, status: TaskStatus): Promise<void>;
  leased(task: Pick<Task, 'taskId'>): Promise<TaskLease>;
  want(taskId: string, desired: DesiredState, more?: Partial<DesiredChange>): Promise<Task>;
  codesOf(taskId: string): Promise<string[]>;
}

/** Builds fresh stores before each test. */
export function useTaskStoreKit(build: BuildStores): TaskStoreKit {
  let stores: Stores | undefined;

  beforeEach(async () => {
    stores = await build();
    await registerClusters(stores.clusters);
  });

  const current = (): Stores => {
    if (stores === undefined) throw new Error('the stores are built before each test');
    return stores;
  };

  const kit: TaskStoreKit = {
    get stores() {
      return current();
    },
    get tasks() {
      return current().tasks;
    },
    async created(changes = {}) {
      return (await kit.tasks.create(newTaskWith(changes))).task;
    },
    async paused(changes = {}) {
      const task = await kit.created(changes);
      await kit.settle(task.taskId, 'paused');
      return { ...task, status: 'paused' };
    },
    async running(changes = {}) {
      const task = await kit.created({ desired: 'running', ...changes });
      await kit.settle(task.taskId, 'running');
      return { ...task, status: 'running' };
    },
    async settle(taskId, status) {
      const lease = await kit.leased({ taskId });
      await kit.tasks.saveProgress(lease, { status });
      await kit.tasks.releaseLease(lease);
    },
    async leased({ taskId }) {
      const lease = await kit.tasks.acquireLease(taskId, ulid(), MINUTE_MS);
      if (lease === undefined) throw new Error(`task ${taskId} is leased already`);
      return lease;
    },
    want: (taskId, desired, more = {}) =>
      kit.tasks.setDesired({ taskId, desired, concurrencyLimit, at, ...more }),
    async codesOf(taskId) {
      const { items } = await kit.tasks.listEvents(taskId, { limit: 100 });
      return items.map(({ code }) => code);
    },
  };
  return kit;
}

/** All items, page by page; fails instead of reading for ever. */
export async function allPages<T>(read: (cursor: { cursor?: string }) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: { cursor?: string } = {};
  for (let pages = 0; pages < 100; pages += 1) {
    const page = await read(cursor);
    items.push(...page.items);
    if (page.nextCursor === undefined) return items;
    cursor = { cursor: page.nextCursor };
  }
  throw new Error('the list never ends');
}
