/** Units of CloudWatch that are used here. */
export type MetricUnit = 'Count' | 'Bytes' | 'Milliseconds' | 'Seconds';

/** Namespace of all metrics of this service. */
export const METRIC_NAMESPACE = 'mqferry';

/** What became of messages; per service, direction and, by option, task. */
export const MESSAGE_METRICS = {
  consumed: 'Count',
  replicated: 'Count',
  failed: 'Count',
  filtered: 'Count',
  loopSkipped: 'Count',
  expired: 'Count',
  retried: 'Count',
  returned: 'Count',
  overflowed: 'Count',
  lapsed: 'Count',
  bytes: 'Bytes',
  syncLatencyMs: 'Milliseconds',
  /** Of the records of a batch, as the batching function meets them. */
  oldestAgeSeconds: 'Seconds',
} as const satisfies Record<string, MetricUnit>;

/** How tasks do, as the tick of converge sees them each minute; of the whole service. */
export const SERVICE_METRICS = {
  tasksRunning: 'Count',
  tasksPaused: 'Count',
  tasksDegraded: 'Count',
  tasksFailed: 'Count',
  unconverged: 'Count',
  backlogMessages: 'Count',
  bufferedMessages: 'Count',
  buffersExpiring: 'Count',
  deadLetterDepth: 'Count',
  deadLetterOldestAgeSeconds: 'Seconds',
  /** Of what waits for tasks that do not run though they should. */
  oldestAgeSeconds: 'Seconds',
} as const satisfies Record<string, MetricUnit>;

export const METRICS = { ...MESSAGE_METRICS, ...SERVICE_METRICS };
export type MessageMetric = keyof typeof MESSAGE_METRICS;
export type ServiceMetric = keyof typeof SERVICE_METRICS;
export type MetricName = keyof typeof METRICS;

/** Dimension sets. Each set is a metric of its own, with a price of its own. */
export const DIMENSIONS = {
  service: ['service', 'stage'],
  direction: ['service', 'stage', 'direction'],
  task: ['service', 'stage', 'taskId'],
} as const;
export type DimensionSet = keyof typeof DIMENSIONS;
