import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { monotonicFactory } from 'ulid';
import { EVENT_RETENTION_SECONDS } from '../../domain/retention.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { revisionKey } from '../../domain/tasks/task-changes.ts';
import type { Clock } from '../../ports/clock.ts';
import type { NewTaskEvent, TaskEvent, TaskRevision, TaskStore } from '../../ports/task-store.ts';
import { absent, changing, conditional, present } from './expressions.ts';
import { getItem, keysOf, listPage, partitionQuery } from './read.ts';
import { type Item, type Table, taskKey, withoutKeys } from './table.ts';
import { type Step, update } from './write.ts';

const EVENT = 'EVENT#';
const REVISION = 'REVISION#';
const CONCURRENT_WRITES = 10;

const nextUlid = monotonicFactory();

/** A step that writes an event with the change it tells of. */
export function eventStep(taskId: string, event: NewTaskEvent): Step {
  return { item: { Put: { Item: eventItem(taskId, event) } } };
}

/** A step that keeps the definition of this version. */
export function revisionStep({ taskId, version, definition }: Task, at: string, actor?: string): Step {
  const revision: TaskRevision = { version, definition, at, ...(actor === undefined ? {} : { actor }) };
  return {
    item: {
      Put: {
        Item: { ...recordKey(taskId, REVISION, revisionKey(version)), ...revision },
        ...conditional(absent('PK')),
      },
    },
  };
}

/** Lets the revisions of a task expire that is about to go. */
export async function expireRevisions(table: Table, taskId: string, nowMs: number): Promise<void> {
  const set = { expiresAt: Math.ceil(nowMs / 1000) + EVENT_RETENTION_SECONDS };
  const change = changing({ set }, present('PK'));
  let writes: Promise<unknown>[] = [];
  for await (const { PK, SK } of keysOf(table, taskKey(taskId).PK, REVISION)) {
    writes.push(update(table, { Key: { PK, SK }, ...change }));
    if (writes.length < CONCURRENT_WRITES) continue;
    await Promise.all(writes);
    writes = [];
  }
  await Promise.all(writes);
}

type TaskRecords = Pick<TaskStore, 'appendEvent' | 'listEvents' | 'listRevisions' | 'getRevision'>;

/** Events and revisions: items of the task's partition that outlive the task by 90 days. */
export function createTaskRecords(table: Table, clock: Pick<Clock, 'now'>): TaskRecords {
  return {
    async appendEvent(taskId, event) {
      await table.documents.send(
        new PutCommand({ TableName: table.tableName, Item: eventItem(taskId, event) }),
      );
    },

    listEvents: (taskId, page) =>
      listPage<TaskEvent & { expiresAt?: unknown }>(table, {
        ...newestFirst(taskId, EVENT),
        list: `events/${taskId}`,
        page,
        toItem: (item) => item as unknown as TaskEvent & { expiresAt?: unknown },
        // The table deletes what has expired within days, not at once.
        matches: ({ expiresAt }) => Number(expiresAt) * 1000 > clock.now(),
      }).then(({ items, ...rest }) => ({ ...rest, items: items.map((item) => recordOf<TaskEvent>(item)) })),

    listRevisions: (taskId, page) =>
      listPage(table, {
        ...newestFirst(taskId, REVISION),
        list: `revisions/${taskId}`,
        page,
        toItem: (item) => recordOf<TaskRevision>(item),
      }),

    async getRevision(taskId, version) {
      const item = await getItem(table, recordKey(taskId, REVISION, revisionKey(version)));
      return item && recordOf<TaskRevision>(item);
    },
  };
}

function eventItem(taskId: string, event: NewTaskEvent): Item {
  const eventId = nextUlid(Date.parse(event.at));
  return {
    ...recordKey(taskId, EVENT, eventId),
    eventId,
    ...event,
    expiresAt: Math.ceil(Date.parse(event.at) / 1000) + EVENT_RETENTION_SECONDS,
  };
}

function recordKey(taskId: string, prefix: string, id: string) {
  return { PK: taskKey(taskId).PK, SK: `${prefix}${id}` };
}

function newestFirst(taskId: string, prefix: string) {
  return {
    query: { ...partitionQuery(taskKey(taskId).PK, prefix), ScanIndexForward: false },
    positionOf: ({ SK }: Item) => String(SK).slice(prefix.length),
    keyAt: (position: string) => recordKey(taskId, prefix, position),
  };
}

function recordOf<T extends TaskEvent | TaskRevision>(item: object): T {
  return withoutKeys({ ...item }) as unknown as T;
}
