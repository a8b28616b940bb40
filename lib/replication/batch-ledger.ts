import { addLatency } from '../domain/latency.ts';
import { type BatchCounts, countCode, newBatchCounts, type Skipped } from './batch-counts.ts';
import type { SourceRecord } from './source-record.ts';

/** Why a record is given back, and how long the target asked to wait. */
export interface GivenBack {
  record: SourceRecord;
  code: string;
  waitMs: number;
  /** It is to come after just this wait: the schedule of `options.retry` says so. */
  isExact?: boolean;
}

/**
 * What is known of each record of a batch. Fail closed: a record is given back until one of the three settling calls
 * was made for it, each of which stands for a proof. There is no way to settle a batch as a whole.
 */
export interface BatchLedger {
  readonly counts: BatchCounts;
  /** RocketMQ has stored it. @param latencyMs - since its source's time; absent: that says nothing */
  stored(record: SourceRecord, bytes: number, latencyMs?: number): void;
  /** The hand-over queue has accepted it. */
  handedOver(record: SourceRecord, code: string): void;
  /** Deliberately not carried. */
  skipped(record: SourceRecord, reason: Skipped): void;
  /** Notes why a record is not settled; the last note counts. */
  note(record: SourceRecord, code: string, waitMs?: number, isExact?: boolean): void;
  isSettled(record: SourceRecord): boolean;
  /** Takes back that a record was settled, and what was counted for it: it comes again, for the sake of the order. */
  reopen(record: SourceRecord, code: string): void;
  /** Counts what is left, once, and answers it. Nothing can be settled afterwards. */
  close(): GivenBack[];
}

/** Code of a record that was given back before anything was tried with it. */
const NOT_REACHED = 'NOT_REACHED';

export function createBatchLedger(taskId: string, records: readonly SourceRecord[]): BatchLedger {
  const counts = newBatchCounts(taskId, records.length);
  const open = new Set(records);
  /** How to take back what was counted for a settled record. */
  const settled = new Map<SourceRecord, () => void>();
  const notes = new Map<SourceRecord, Omit<GivenBack, 'record'>>();
  for (const { receiveCount } of records) {
    if (receiveCount > 1) counts.retried += 1;
    else counts.consumed += 1;
  }

  return {
    counts,
    stored(record, bytes, latencyMs = Number.NaN) {
      if (!open.delete(record)) return;
      addLatency(counts.latencies, latencyMs);
      counts.replicated += 1;
      counts.bytes += bytes;
      settled.set(record, () => {
        counts.replicated -= 1;
        counts.bytes -= bytes;
        addLatency(counts.latencies, latencyMs, -1);
      });
    },
    handedOver(record, code) {
      if (!open.delete(record)) return;
      countCode(counts.failed, code);
      settled.set(record, () => countCode(counts.failed, code, -1));
    },
    skipped(record, reason) {
      if (!open.delete(record)) return;
      counts[reason] += 1;
      const wasConsumed = reason === 'overlap' && record.receiveCount <= 1;
      if (wasConsumed) counts.consumed -= 1;
      settled.set(record, () => {
        counts[reason] -= 1;
        if (wasConsumed) counts.consumed += 1;
      });
    },
    note(record, code, waitMs = 0, isExact = false) {
      if (open.has(record)) notes.set(record, { code, waitMs, ...(isExact ? { isExact } : {}) });
    },
    isSettled: (record) => !open.has(record),
    reopen(record, code) {
      const takeBack = settled.get(record);
      if (takeBack === undefined) return;
      takeBack();
      settled.delete(record);
      open.add(record);
      notes.set(record, { code, waitMs: 0 });
    },
    close() {
      const left = [...open].map((record) => ({
        record,
        ...(notes.get(record) ?? { code: NOT_REACHED, waitMs: 0 }),
      }));
      open.clear();
      settled.clear();
      for (const { code } of left) countCode(counts.returned, code);
      return left;
    },
  };
}
