import { randomBytes } from 'node:crypto';
import {
  addFigures,
  type Figures,
  minuteOf,
  newFigures,
  WRITABLE_MINUTES,
} from '../../domain/figures/figures.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FigureStore, FigureWriteId } from '../../ports/figure-store.ts';
import type { Logger } from '../../ports/logger.ts';
import { inTime } from '../with-timeout.ts';

interface Entry {
  minute: number;
  figures: Figures;
  /** Given with the first attempt: from then on the entry stays as it is. */
  sequence?: number;
}

/** The figures of one task, on their way into the store. */
export interface FigureWriter {
  /** Takes figures of this minute; what is given is not kept. */
  add(minute: number, figures: Figures): void;
  /** Writes what is there, in order, each once; what is not surely written stays for the next time. Never rejects. */
  flush(maxMs: number): Promise<void>;
  /** Something waits to be written. */
  readonly isPending: boolean;
}

/** Names one run of a writer. */
export function newWriterName(): string {
  return randomBytes(4).toString('hex');
}

/** Numbers of the writes of one run. */
export function createSequence(): () => number {
  let last = 0;
  return () => {
    last += 1;
    return last;
  };
}

/**
 * Counting holds up nobody and fails nothing: a write without an answer is made again, the very same one, so that it counts once.
 * What cannot be written any more, since its minute has been folded, goes to the minute of the moment. So as long as the process
 * lives nothing is lost, and of a minute there is one entry only.
 */
export function createFigureWriter(options: {
  taskId: string;
  writer: string;
  nextSequence: () => number;
  store: Pick<FigureStore, 'add' | 'wasAdded'>;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): FigureWriter {
  const { taskId, writer, nextSequence, store, clock, logger } = options;
  const entries: Entry[] = [];
  let flushing: Promise<void> | undefined;

  function put(minute: number, figures: Figures): void {
    let entry = entries.find((one) => one.minute === minute && one.sequence === undefined);
    if (entry === undefined) {
      entry = { minute, figures: newFigures() };
      entries.push(entry);
    }
    addFigures(entry.figures, figures);
  }

  const idOf = ({ minute }: Entry, sequence: number): FigureWriteId => ({ taskId, minute, writer, sequence });

  /** Where a minute is too old to be written to, what it holds counts as of now; unless it was added, and the answer lost. */
  async function renew(entry: Entry, nowMinute: number, maxMs: number): Promise<void> {
    const { sequence, figures } = entry;
    const isAdded = sequence !== undefined && (await inTime(store.wasAdded(idOf(entry, sequence)), maxMs));
    entries.splice(entries.indexOf(entry), 1);
    if (!isAdded) put(nowMinute, figures);
  }

  async function write(entry: Entry, maxMs: number): Promise<void> {
    entry.sequence ??= nextSequence();
    await inTime(store.add({ ...idOf(entry, entry.sequence), figures: entry.figures }), maxMs);
    entries.splice(entries.indexOf(entry), 1);
  }

  async function writeAll(maxMs: number): Promise<void> {
    const untilMs = clock.now() + maxMs;
    const nowMinute = minuteOf(clock.now());
    try {
      for (const entry of [...entries]) {
        if (entry.minute < nowMinute - WRITABLE_MINUTES) await renew(entry, nowMinute, untilMs - clock.now());
      }
      for (const entry of [...entries]) await write(entry, untilMs - clock.now());
    } catch (error) {
      logger.warn('figures not written: they go with the next', { taskId, error });
    }
  }

  return {
    add: put,
    async flush(maxMs) {
      // One at a time: an entry that is under way must not be sent again beside itself.
      flushing ??= writeAll(maxMs).finally(() => {
        flushing = undefined;
      });
      await flushing;
    },
    get isPending() {
      return entries.length > 0;
    },
  };
}
