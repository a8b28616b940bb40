import type { ClusterStore } from './cluster-store.ts';
import type { TaskStore } from './task-store.ts';

/** What the data plane may do with the table of tasks: read one, strongly consistent, and say how its target does. */
export type TaskReader = Pick<TaskStore, 'get' | 'reportHealth' | 'appendEvent'>;

/** What the data plane may do with the table of clusters. */
export type ClusterReader = Pick<ClusterStore, 'get'>;

/** What a shift may do with the table of tasks: besides, tell what its lanes are at. */
export type LaneTasks = Pick<
  TaskStore,
  'get' | 'getRevision' | 'reportLane' | 'reportCanary' | 'reportOverflow' | 'appendEvent'
>;
