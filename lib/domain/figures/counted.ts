import type { TaskDirection } from '../tasks/task.ts';
import { type EmfDocument, emfDocument } from './emf.ts';
import { addLatency, type Latencies, latencyValues, mergeLatencies, newLatencies } from './latency.ts';
import type { DimensionSet, MessageMetric } from './metrics.ts';

/** What became of messages, whatever path they took. What a path does not know is absent. */
export interface Counted {
  consumed: number;
  replicated: number;
  loopSkipped: number;
  expired: number;
  retried: number;
  /** Payload bytes of what was replicated. */
  bytes: number;
  /** Dead letters, by code. */
  failed: Record<string, number>;
  /** From the source's time of a message until the target had accepted it. */
  latencies: Latencies;
  filtered?: number;
  overflowed?: number;
  lapsed?: number;
  returned?: Record<string, number>;
  /** Of what a batch brought. */
  oldestAgeMs?: number;
}

/** What was counted of one task. `perTask`: it wants metrics of its own. */
export interface TaskCounted {
  taskId: string;
  perTask: boolean;
  counts: Counted;
}

/** What every metric carries. */
export interface ServiceIds {
  service: string;
  stage: string;
}

/** These are told even when they are nothing: alarms stand on them, and a gap would say less than a zero. */
const ALWAYS: ReadonlySet<MessageMetric> = new Set(['consumed', 'replicated', 'failed']);

export function newCounted(): Counted {
  return {
    consumed: 0,
    replicated: 0,
    loopSkipped: 0,
    expired: 0,
    retried: 0,
    bytes: 0,
    failed: {},
    latencies: newLatencies(),
  };
}

/** Adds all that is a number, all codes and all times; of ages the greater one stands. */
export function addCounted(into: Counted, from: Counted): void {
  const sums = into as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(from)) {
    if (name === 'latencies') mergeLatencies(into.latencies, from.latencies);
    else if (name === 'oldestAgeMs') into.oldestAgeMs = Math.max(into.oldestAgeMs ?? 0, Number(value));
    else if (typeof value === 'number') sums[name] = Number(sums[name] ?? 0) + value;
    else if (typeof value === 'object') sums[name] = sumOfCodes(sums[name], value);
  }
}

export function isNothing({ failed, returned = {}, latencies: _, ...counts }: Counted): boolean {
  const isEmpty = Object.keys(failed).length === 0 && Object.keys(returned).length === 0;
  return isEmpty && Object.values(counts).every((count) => count === 0);
}

/**
 * Documents for what was counted in one direction: the first one for all of it, per service and per direction; then one for each
 * task that wants metrics of its own. A single task needs one document for all of that.
 */
export function messageDocuments(
  tasks: readonly TaskCounted[],
  {
    nowMs,
    direction,
    properties = {},
    ...ids
  }: ServiceIds & { nowMs: number; direction: TaskDirection; properties?: Readonly<Record<string, unknown>> },
): EmfDocument[] {
  const total = newCounted();
  for (const { counts } of tasks) addCounted(total, counts);
  const [only] = tasks.length === 1 ? tasks : [];
  const document = (counts: Counted, sets: readonly DimensionSet[], taskId: string | undefined) =>
    emfDocument({
      nowMs,
      sets,
      dimensions: { ...ids, direction, ...(taskId === undefined ? {} : { taskId }) },
      metrics: metricsOf(counts),
      properties: {
        direction,
        ...(taskId === undefined ? { tasks: tasks.length } : { taskId }),
        ...byCode('failedBy', counts.failed),
        ...byCode('returnedBy', counts.returned),
        ...properties,
      },
    });
  const detailed = only === undefined ? tasks.filter(({ perTask }) => perTask) : [];
  return [
    document(
      total,
      only?.perTask === true ? ['service', 'direction', 'task'] : ['service', 'direction'],
      only?.taskId,
    ),
    ...detailed.map(({ taskId, counts }) => document(counts, ['task'], taskId)),
  ];
}

function metricsOf(counts: Counted): Partial<Record<MessageMetric, number | number[]>> {
  const { failed, returned = {}, latencies, oldestAgeMs, ...numbers } = counts;
  const all: Partial<Record<MessageMetric, number>> = {
    consumed: numbers.consumed,
    replicated: numbers.replicated,
    failed: sum(failed),
    filtered: numbers.filtered ?? 0,
    loopSkipped: numbers.loopSkipped,
    expired: numbers.expired,
    retried: numbers.retried,
    returned: sum(returned),
    overflowed: numbers.overflowed ?? 0,
    lapsed: numbers.lapsed ?? 0,
    bytes: numbers.bytes,
  };
  const told = Object.entries(all).filter(
    ([name, count]) => count !== 0 || ALWAYS.has(name as MessageMetric),
  );
  return {
    ...Object.fromEntries(told),
    syncLatencyMs: latencyValues(latencies),
    ...(oldestAgeMs === undefined ? {} : { oldestAgeSeconds: Math.max(0, oldestAgeMs) / 1_000 }),
  };
}

function byCode(name: string, codes: Record<string, number> = {}): Record<string, unknown> {
  return Object.keys(codes).length === 0 ? {} : { [name]: { ...codes } };
}

function sumOfCodes(one: unknown, other: unknown): Record<string, number> {
  const sums: Record<string, number> = { ...(one as Record<string, number> | undefined) };
  for (const [code, count] of Object.entries(other ?? {})) sums[code] = (sums[code] ?? 0) + Number(count);
  return sums;
}

function sum(codes: Record<string, number>): number {
  return Object.values(codes).reduce((total, count) => total + count, 0);
}

/** Counts that a message was accepted by the target. Clocks differ: a time before zero counts as zero. */
export function countLatency(counts: Counted, sourceTimeMs: number, acceptedAtMs: number): void {
  addLatency(counts.latencies, Math.max(0, acceptedAtMs - sourceTimeMs));
}
