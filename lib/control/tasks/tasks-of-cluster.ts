import type { Task } from '../../domain/tasks/task.ts';
import type { TaskStore } from '../../ports/task-store.ts';

/** Pages that are read at most: beyond some thousand tasks the answer is not complete. */
const MAX_PAGES = 50;
const PAGE_LIMIT = 100;

/** The tasks whose source or target is a cluster; eventually consistent. */
export async function tasksOfCluster(
  tasks: Pick<TaskStore, 'list'>,
  clusterId: string,
): Promise<{ items: Task[]; isComplete: boolean }> {
  const items: Task[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await tasks.list(
      { clusterId },
      { limit: PAGE_LIMIT, ...(cursor === undefined ? {} : { cursor }) },
    );
    items.push(...page.items);
    if (page.nextCursor === undefined) return { items, isComplete: true };
    cursor = page.nextCursor;
  }
  return { items, isComplete: false };
}
