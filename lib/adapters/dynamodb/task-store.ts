import { matchesTaskFilter, type TaskFilter } from '../../domain/tasks/task-filter.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import { getItem, listPage } from './read.ts';
import { type Table, TYPE_INDEX, taskKey, typeIndexKey } from './table.ts';
import { createTaskChanges } from './task-changes.ts';
import { taskOf } from './task-item.ts';
import { createTaskProgress } from './task-progress.ts';
import { createTaskRecords } from './task-records.ts';

/** The table of tasks on DynamoDB. docs/architecture.md lists its items. */
export function createDynamoTaskStore(table: Table, clock: Pick<Clock, 'now'>): TaskStore {
  return {
    ...createTaskChanges(table, clock),
    ...createTaskProgress(table, clock),
    ...createTaskRecords(table, clock),

    async get(taskId) {
      const item = await getItem(table, taskKey(taskId));
      return item && taskOf(item);
    },

    list: (filter, page) =>
      listPage(table, {
        list: 'tasks',
        query: {
          IndexName: TYPE_INDEX,
          KeyConditionExpression: 'GSI1PK = :type',
          ExpressionAttributeValues: { ':type': 'TASK' },
          ScanIndexForward: false,
        },
        page,
        toItem: taskOf,
        positionOf: ({ GSI1SK }) => String(GSI1SK),
        keyAt: (taskId) => ({ ...taskKey(taskId), ...typeIndexKey('TASK', taskId) }),
        ...(isEmpty(filter) ? {} : { matches: (task) => matchesTaskFilter(task, filter) }),
      }),
  };
}

function isEmpty(filter: TaskFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}
