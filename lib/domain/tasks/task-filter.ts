import type { Task, TaskDirection, TaskStatus } from './task.ts';

/** What a list of tasks can be narrowed to; absent members narrow nothing. */
export interface TaskFilter {
  status?: TaskStatus;
  direction?: TaskDirection;
  /** Tasks whose source or target is this cluster. */
  clusterId?: string;
  /** Part of the name or description, case-insensitive. */
  query?: string;
}

/** Whether a task belongs into the filtered list. */
export function matchesTaskFilter(task: Task, filter: TaskFilter): boolean {
  const { source, target } = task.definition;
  return (
    (filter.status === undefined || task.status === filter.status) &&
    (filter.direction === undefined || task.direction === filter.direction) &&
    (filter.clusterId === undefined || [source.clusterId, target.clusterId].includes(filter.clusterId)) &&
    (filter.query === undefined || contains(task, filter.query.toLowerCase()))
  );
}

function contains({ definition }: Task, lowerCase: string): boolean {
  return (
    definition.taskName.toLowerCase().includes(lowerCase) ||
    (definition.description?.toLowerCase().includes(lowerCase) ?? false)
  );
}
