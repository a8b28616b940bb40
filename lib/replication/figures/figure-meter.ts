import { lastErrors, type MessageError, messageError } from '../../domain/errors/message-errors.ts';
import {
  addByKey,
  addSending,
  COUNT_NAMES,
  type Counts,
  type Figures,
  isEmpty,
  minuteOf,
  newFigures,
  newLatencies,
  startOfMinuteMs,
  UNKNOWN_TIME,
} from '../../domain/figures/figures.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FigureStore, SourceSample } from '../../ports/figure-store.ts';
import type { Logger } from '../../ports/logger.ts';
import { createFigureWriter, createSequence, newWriterName } from './figure-writer.ts';
import { createReceiptWitness, type ReceiptWitness } from './receipt-witness.ts';

/**
 * A shift costs by the hour, so its lanes write by the clock, and the less often the more of them share it (docs/costs.md): busy
 * ones so that counting stays within 2 % of the shift's price, quiet ones within 10 %.
 */
const quietMsOf = (lanes: number) => between(2_000, 820 * lanes);
/** From nine lanes on once a minute, which is what figures by the minute take. */
const busyMsOf = (lanes: number) =>
  lanes > 8 ? LONGEST_MS : between(5_000, (1_640 * lanes) / (0.4 - 0.022 * lanes));
/** Messages since the last write that make a lane busy. */
const IS_BUSY = 100;
const LONGEST_MS = 60_000;
/** A lane that has nothing to tell looks so many times less often. */
const MAX_ROUNDS = 8;
/** What the store does not take in this time goes with the next write. */
const WRITE_MS = 5_000;
/** When a lane ends its last figures are waited for so long: its lease is to be given back. */
const LAST_WRITE_MS = 1_000;

/** What a lane has counted since it was asked last. */
export type LaneFigures = Partial<Counts> & { failed: Readonly<Record<string, number>> };

/** Brings a lane's counts into the store, now and then. Costs the lane nothing but numbers. */
export interface FigureMeter {
  /** Messages were received at this time; to be told before they are counted. */
  received(atMs: number): void;
  /** One message was accepted by the target; times in epoch ms, `UNKNOWN_TIME` where the path does not know. */
  accepted(sourceMs: number, receivedMs: number, sentMs: number, acceptedMs: number): void;
  /** One message failed, for good or for now. */
  failed(error: MessageError): void;
  /** Writes what is left, within about a second. */
  close(): Promise<void>;
}

/** Meters of the lanes of one shift, which share what counting may cost. */
export interface FigureMeters {
  /**
   * @param lane.take - asked before each write
   * @param lane.isBusy - there may be outcomes to come without a receipt
   */
  open(lane: { taskId: string; take(): LaneFigures; isBusy(): boolean }): FigureMeter;
  /** Counts first receipts of a lane, apart from its meter. */
  openWitness(lane: { taskId: string; lane: number }): ReceiptWitness;
  /** Keeps what the source of a task says of itself. */
  sample(taskId: string, sample: SourceSample): Promise<void>;
}

export function createFigureMeters(ports: {
  store: Pick<FigureStore, 'add' | 'wasAdded' | 'addWitness' | 'putSample'>;
  clock: Clock;
  logger: Logger;
}): FigureMeters {
  let lanes = 0;
  return {
    open(lane) {
      lanes += 1;
      return openMeter(lane, {
        ...ports,
        quietMs: () => quietMsOf(lanes),
        busyMs: () => busyMsOf(lanes),
        onClosed: () => {
          lanes -= 1;
        },
      });
    },
    openWitness: (lane) => createReceiptWitness({ ...ports, ...lane }),
    sample: (taskId, sample) => ports.store.putSample(taskId, minuteOf(sample.atMs), sample),
  };
}

function openMeter(
  { taskId, take, isBusy }: Parameters<FigureMeters['open']>[0],
  {
    quietMs,
    busyMs,
    onClosed,
    ...ports
  }: Parameters<typeof createFigureMeters>[0] & { quietMs(): number; busyMs(): number; onClosed(): void },
): FigureMeter {
  const { clock, logger } = ports;
  const writer = createFigureWriter({
    ...ports,
    taskId,
    writer: newWriterName(),
    nextSequence: createSequence(),
  });
  const closing = new AbortController();
  let latencies = newLatencies();
  let errors: MessageError[] = [];
  let minute = minuteOf(clock.now());
  let minuteEndsMs = startOfMinuteMs(minute + 1);
  let lastWriteMs = clock.now();
  let consumedSinceWrite = 0;
  let isRunning = false;

  /** Books what was counted since the last cut on the minute that it was counted in. Answers whether it was anything. */
  function cut(nowMs: number): boolean {
    const since = figuresOf(take());
    since.latencies = latencies;
    since.errors = errors;
    const isNews = !isEmpty(since);
    if (isNews) {
      writer.add(minute, since);
      latencies = newLatencies();
      errors = [];
      consumedSinceWrite += since.counts.consumed;
    }
    if (nowMs >= minuteEndsMs) {
      minute = minuteOf(nowMs);
      minuteEndsMs = startOfMinuteMs(minute + 1);
    }
    return isNews;
  }

  async function write(): Promise<void> {
    lastWriteMs = clock.now();
    consumedSinceWrite = 0;
    await writer.flush(WRITE_MS);
  }

  /** While a lane has little to tell it is told soon; a busy one waits for longer. */
  function isDue(nowMs: number): boolean {
    return consumedSinceWrite < IS_BUSY || nowMs - lastWriteMs >= busyMs();
  }

  async function run(): Promise<void> {
    // While a lane waits for its target there is nothing to tell for long.
    let rounds = 1;
    while (!closing.signal.aborted && (rounds === 1 || writer.isPending || isBusy())) {
      await clock.sleep(Math.min(LONGEST_MS, rounds * quietMs()), closing.signal);
      rounds = cut(clock.now()) ? 1 : Math.min(rounds + 1, MAX_ROUNDS);
      if (writer.isPending && isDue(clock.now())) await write();
    }
  }

  function start(): void {
    if (isRunning || closing.signal.aborted) return;
    isRunning = true;
    run()
      .catch((error: unknown) => {
        // The end of the lane wakes its clock; everything else is a fault of ours.
        if (!closing.signal.aborted) logger.error('figures of a lane stumbled', { taskId, error });
      })
      .finally(() => {
        isRunning = false;
      });
  }

  return {
    received(atMs) {
      // To the millisecond, since the source's witness is compared by the minute.
      if (atMs >= minuteEndsMs) cut(atMs);
      if (!isRunning) start();
    },
    accepted(sourceMs, receivedMs, sentMs, acceptedMs) {
      addSending(latencies, sourceMs, UNKNOWN_TIME, receivedMs, sentMs, acceptedMs);
    },
    failed(error) {
      errors = lastErrors([...errors, messageError(error)]);
      if (!isRunning) start();
    },
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      onClosed();
      cut(clock.now());
      if (writer.isPending) await writer.flush(LAST_WRITE_MS);
      if (writer.isPending) logger.warn('figures of a lane lost', { taskId });
    },
  };
}

function figuresOf({ failed, ...counts }: LaneFigures): Figures {
  const figures = newFigures();
  for (const name of COUNT_NAMES) figures.counts[name] = counts[name] ?? 0;
  addByKey(figures.failed, failed);
  return figures;
}

function between(shortestMs: number, ms: number): number {
  return Math.min(LONGEST_MS, Math.max(shortestMs, ms));
}
