import type { ClusterStore } from '../../lib/ports/cluster-store.ts';
import type { StackStore } from '../../lib/ports/stack-store.ts';
import type { TaskStore } from '../../lib/ports/task-store.ts';
import type { ManualClock } from '../helpers/tasks.ts';

/** The stores of one fresh, empty stack. */
export interface Stores {
  tasks: TaskStore;
  clusters: ClusterStore;
  stack: StackStore;
  /** What the stores take for the time. */
  clock: ManualClock;
}
export type BuildStores = () => Promise<Stores>;
