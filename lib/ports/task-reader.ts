import type { ClusterStore } from './cluster-store.ts';
import type { TaskStore } from './task-store.ts';

/** What the data plane may do with the table of tasks: read one, strongly consistent, and say how its target does. */
export type TaskReader = Pick<TaskStore, 'get' | 'reportHealth'>;

/** What the data plane may do with the table of clusters. */
export type ClusterReader = Pick<ClusterStore, 'get'>;
