import {
  DIMENSIONS,
  type DimensionSet,
  METRIC_NAMESPACE,
  METRICS,
  type MetricName,
  type MetricUnit,
} from './metrics.ts';

/** The specification's limits: metrics of a directive, values of one metric. */
const MAX_METRICS = 100;
export const MAX_VALUES = 100;

/**
 * One document in CloudWatch's embedded metric format: a log line of which CloudWatch makes metrics. Members beside the
 * dimensions and metrics that `_aws` names are properties, for Logs Insights only.
 */
export interface EmfDocument {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: {
      Namespace: string;
      Dimensions: string[][];
      Metrics: { Name: MetricName; Unit: MetricUnit }[];
    }[];
  };
  [member: string]: unknown;
}

export interface EmfParts {
  /** Epoch milliseconds. */
  nowMs: number;
  sets: readonly DimensionSet[];
  /** A value for each dimension of the sets. */
  dimensions: Readonly<Record<string, string>>;
  /** Several values of one metric, at most 100: CloudWatch makes percentiles of them. */
  metrics: Readonly<Partial<Record<MetricName, number | readonly number[]>>>;
  /** What may stand beside: ids and codes, never what a message holds. */
  properties?: Readonly<Record<string, unknown>>;
}

/** Makes a document. Values that are no numbers, and metrics without a value, are left out. */
export function emfDocument({ nowMs, sets, dimensions, metrics, properties = {} }: EmfParts): EmfDocument {
  const values = Object.entries(metrics)
    .map(([name, value]) => [name as MetricName, finite(value)] as const)
    .filter(([, value]) => value !== undefined)
    .slice(0, MAX_METRICS);
  const names = new Set(sets.flatMap((set): string[] => [...DIMENSIONS[set]]));
  return {
    _aws: {
      Timestamp: Math.floor(nowMs),
      CloudWatchMetrics: [
        {
          Namespace: METRIC_NAMESPACE,
          Dimensions: sets.map((set) => [...DIMENSIONS[set]]),
          Metrics: values.map(([Name]) => ({ Name, Unit: METRICS[Name] })),
        },
      ],
    },
    ...properties,
    ...Object.fromEntries([...names].map((name) => [name, dimensions[name] ?? 'none'])),
    ...Object.fromEntries(values),
  };
}

function finite(value: number | readonly number[] | undefined): number | number[] | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  const values = (value ?? []).filter(Number.isFinite).slice(0, MAX_VALUES);
  return values.length === 0 ? undefined : values;
}
