import type { MessageError } from '../../domain/errors/message-errors.ts';
import { addSending, type Latencies, minuteOf, newLatencies } from '../../domain/figures/figures.ts';
import { addLatency } from '../../domain/figures/latency.ts';
import { isSessionEnvelope } from '../../mapping/session-envelope.ts';
import { type BatchCounts, countCode, newBatchCounts, type Skipped } from '../figures/batch-counts.ts';
import type { SourceRecord } from './source-record.ts';

/** Why a record is given back, and how long the target asked to wait. */
export interface GivenBack {
  record: SourceRecord;
  code: string;
  waitMs: number;
  /** It is to come after just this wait: the schedule of `options.retry` says so. */
  isExact?: boolean;
}

/** When a message was where, in epoch ms. */
export interface SendTimes {
  sourceTimeMs: number;
  receivedAtMs: number;
  sentAtMs: number;
  acceptedAtMs: number;
}

/** What the figures know beside the counts. */
export interface BatchTimes {
  /** Of what was replicated. */
  latencies: Latencies;
  /** First receipts by the minute in which their queue got them: what the queue's own count is compared with. */
  sourceMinutes: Record<number, number>;
  /** What failed: each dead letter, and of what is tried again one message of each code. */
  errors: MessageError[];
}

/**
 * What is known of each record of a batch. Fail closed: a record is given back until one of the three settling calls
 * was made for it, each of which stands for a proof. There is no way to settle a batch as a whole.
 */
export interface BatchLedger {
  readonly counts: BatchCounts;
  readonly times: BatchTimes;
  /** RocketMQ has stored it. @param times - absent: how long it took says nothing */
  stored(record: SourceRecord, bytes: number, times?: SendTimes): void;
  /** The hand-over queue has accepted it. */
  handedOver(record: SourceRecord, code: string): void;
  /** Deliberately not carried. */
  skipped(record: SourceRecord, reason: Skipped): void;
  /** It is a canary: settled, and nothing of it counts. */
  canary(record: SourceRecord): void;
  /** Notes why a record is not settled; the last note counts. */
  note(record: SourceRecord, code: string, waitMs?: number, isExact?: boolean): void;
  /** The code of that note; undefined: there is none. */
  noted(record: SourceRecord): string | undefined;
  /** Tells what failed of a message. @param tell - asked where it is wanted: an outage fails every message alike */
  failed(code: string, outcome: MessageError['outcome'], tell: () => MessageError): void;
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
  const times: BatchTimes = { latencies: newLatencies(), sourceMinutes: {}, errors: [] };
  const toldCodes = new Set<string>();
  for (const record of records) {
    if (record.receiveCount > 1) counts.retried += 1;
    else if (isFirstMet(record)) {
      counts.consumed += 1;
      const minute = minuteOf(record.sentTimeMs);
      times.sourceMinutes[minute] = (times.sourceMinutes[minute] ?? 0) + 1;
    }
  }

  function time({ sentTimeMs }: SourceRecord, sending: SendTimes, sign: 1 | -1): void {
    const { sourceTimeMs, receivedAtMs, sentAtMs, acceptedAtMs } = sending;
    addLatency(counts.latencies, acceptedAtMs - sourceTimeMs, sign);
    addSending(times.latencies, sourceTimeMs, sentTimeMs, receivedAtMs, sentAtMs, acceptedAtMs, sign);
  }

  return {
    counts,
    times,
    stored(record, bytes, sending) {
      if (!open.delete(record)) return;
      if (sending !== undefined) time(record, sending, 1);
      counts.replicated += 1;
      counts.bytes += bytes;
      settled.set(record, () => {
        counts.replicated -= 1;
        counts.bytes -= bytes;
        if (sending !== undefined) time(record, sending, -1);
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
      const wasConsumed = reason === 'overlap' && !isSessionEnvelope(record.body);
      const unconsume = (sign: 1 | -1) => {
        if (!wasConsumed) return;
        // Now, or by the batch of an earlier receipt, whose count stands.
        if (record.receiveCount > 1) counts.takenBack += sign;
        else counts.consumed -= sign;
      };
      unconsume(1);
      settled.set(record, () => {
        counts[reason] -= 1;
        unconsume(-1);
      });
    },
    canary(record) {
      if (!open.delete(record)) return;
      counts.canaries += 1;
      // The queue's own count, which the minutes are compared with, knows it all the same.
      if (record.receiveCount > 1) {
        counts.retried -= 1;
        counts.takenBack += 1;
      } else {
        counts.consumed -= 1;
      }
    },
    noted: (record) => notes.get(record)?.code,
    note(record, code, waitMs = 0, isExact = false) {
      if (open.has(record)) notes.set(record, { code, waitMs, ...(isExact ? { isExact } : {}) });
    },
    failed(code, outcome, tell) {
      if (outcome === 'retried' && toldCodes.has(code)) return;
      if (outcome === 'retried') toldCodes.add(code);
      times.errors.push(tell());
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

/** Received for the first time, and not from a session, whose lane has counted it. */
function isFirstMet({ receiveCount, body }: SourceRecord): boolean {
  return receiveCount <= 1 && !isSessionEnvelope(body);
}
