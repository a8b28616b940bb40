import { minuteOf, startOfMinuteMs, WRITABLE_MINUTES } from '../../domain/figures/figures.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FigureStore, WitnessWrite } from '../../ports/figure-store.ts';
import type { Logger } from '../../ports/logger.ts';
import { inTime } from '../with-timeout.ts';
import { createSequence, newWriterName } from './figure-writer.ts';

const WRITE_MS = 2_000;
const LAST_WRITE_MS = 1_000;
/** What is not told by then is not told any more: the minute has been looked at. */
const MAX_WAITING = WRITABLE_MINUTES;

/**
 * Counts first receipts where a session hands them over, and tells each minute's count when it is over: what the figures are
 * compared with. Nothing in it is shared with the figures, so that a fault in counting shows.
 */
export interface ReceiptWitness {
  received(atMs: number): void;
  close(): Promise<void>;
}

export function createReceiptWitness({
  taskId,
  lane,
  store,
  clock,
  logger,
}: {
  taskId: string;
  lane: number;
  store: Pick<FigureStore, 'addWitness'>;
  clock: Clock;
  logger: Logger;
}): ReceiptWitness {
  const writer = newWriterName();
  const nextSequence = createSequence();
  const closing = new AbortController();
  const waiting: WitnessWrite[] = [];
  let minute = minuteOf(clock.now());
  let endsMs = startOfMinuteMs(minute + 1);
  let receipts = 0;
  let isWaiting = false;
  let telling: Promise<void> = Promise.resolve();

  function note(mark: { opened?: boolean; closed?: boolean } = {}): void {
    if (receipts > 0 || mark.opened || mark.closed) {
      waiting.push({ taskId, lane, minute, writer, sequence: nextSequence(), receipts, ...mark });
      if (waiting.length > MAX_WAITING) waiting.shift();
    }
    receipts = 0;
    minute = minuteOf(clock.now());
    endsMs = startOfMinuteMs(minute + 1);
  }

  async function tellAll(maxMs: number): Promise<void> {
    try {
      for (const write of [...waiting]) {
        await inTime(store.addWitness(write), maxMs);
        waiting.splice(waiting.indexOf(write), 1);
      }
    } catch (error) {
      logger.warn('receipts of a lane not told: they go with the next', { taskId, lane, error });
    }
  }

  /** One after the other: the sequence of a writer must grow. */
  function tell(maxMs: number): Promise<void> {
    telling = telling.then(() => tellAll(maxMs));
    return telling;
  }

  async function waitForEnd(): Promise<void> {
    await clock.sleep(Math.max(0, endsMs - clock.now()), closing.signal).catch(() => undefined);
    isWaiting = false;
    if (closing.signal.aborted) return;
    note();
    await tell(WRITE_MS);
  }

  note({ opened: true });
  void tell(WRITE_MS);
  return {
    received(atMs) {
      if (atMs >= endsMs) note();
      receipts += 1;
      if (isWaiting) return;
      isWaiting = true;
      void waitForEnd();
    },
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      note({ closed: true });
      await tell(LAST_WRITE_MS);
    },
  };
}
