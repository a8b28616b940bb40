import type { Figures } from '../domain/figures/figures.ts';

/** Says which write of which writer this is, so that one whose answer was lost is not added twice. */
export interface FigureWriteId {
  taskId: string;
  /** Minute since the epoch that it is added to. */
  minute: number;
  /** One run of a lane, or of a function's instance; 1 to 16 of `A-Za-z0-9`. */
  writer: string;
  /** From 1, greater with each write of this writer. */
  sequence: number;
}

export interface FigureWrite extends FigureWriteId {
  figures: Figures;
}

/** Receipts as the source's side of a lane has counted them, apart from the figures. */
export interface WitnessWrite extends FigureWriteId {
  lane: number;
  receipts: number;
  /** The lane was opened, or closed in order, in this minute: one that is opened twice was killed in between. */
  opened?: boolean;
  closed?: boolean;
}

/** What the source itself says at one moment: what waits there, and how far it was read. */
export interface SourceSample {
  atMs: number;
  backlogMessages: number;
  /** When the oldest of them was stored there; absent: there is none, or the source does not tell. */
  oldestStoredAtMs?: number;
  /**
   * Messages handed out to the task's group so far, of how many queues, and since when its task is as it is (ISO 8601); absent: they
   * are not comparable. A position can be moved while the task is paused, so that samples of two runs are not of one count.
   */
  read?: { position: number; queues: number; since?: string };
}

/** What the witness of one lane has said of one minute. */
export interface WitnessMinute {
  minute: number;
  lane: number;
  receipts: number;
  opens: number;
  closes: number;
  sample?: SourceSample;
}

export interface FigurePeriod {
  startMs: number;
  figures: Figures;
}

export interface FigureRange {
  /** Minutes since the epoch, both included. */
  fromMinute: number;
  toMinute: number;
}

/**
 * Figures of tasks: minutes (kept for two days), hours (30 days) and the totals. A minute is added to its hour and to the totals
 * exactly once, when it is folded; totals are told with what is not folded yet.
 *
 * @example
 * await figures.add({ taskId, minute: minuteOf(clock.now()), writer: 'a1B2c3', sequence: 1, figures: counted });
 * const { figures: totals } = await figures.totals(taskId);
 */
export interface FigureStore {
  /**
   * Resolves when the write is added, by this call or one before it. Throws when that is not certain: then the very same write may
   * be repeated, until its minute is to be folded; after that only `wasAdded` tells.
   */
  add(write: FigureWrite): Promise<void>;
  wasAdded(id: FigureWriteId): Promise<boolean>;
  /** As `add`, for the witness. */
  addWitness(write: WitnessWrite): Promise<void>;
  /** Of the task's first lane. The last sample of a minute counts. */
  putSample(taskId: string, minute: number, sample: SourceSample): Promise<void>;
  /** By minute, then by lane. */
  witness(taskId: string, range: FigureRange): Promise<WitnessMinute[]>;
  /** Undefined: nobody has taken any, lately. */
  lastSample(taskId: string): Promise<SourceSample | undefined>;
  /** With the last errors, of however many writers; hours have none. */
  totals(taskId: string): Promise<Figures>;
  /** Oldest first; minutes or hours in which nothing was counted are left out. An hour lies in the range if its start does. */
  read(taskId: string, range: FigureRange, period: 'minute' | 'hour'): Promise<FigurePeriod[]>;
  /**
   * Adds minutes to hours and totals, up to this one, which nobody may write to any more. Answers how many; some may be left
   * for the next call. Repeated or side by side, each minute is folded once.
   */
  fold(taskId: string, throughMinute: number): Promise<number>;
  /** The task is gone: what is kept without an expiry gets one. */
  forget(taskId: string, nowMs: number): Promise<void>;
}
