import { type Random, retryWaitMs } from '../retry-schedule.ts';

/** The target counts as away when it has accepted nothing for so long although something was sent. */
export const AWAY_AFTER_MS = 2_000;
/** The same when all that the broker may have unacknowledged with us is: it sends nothing more, and its own queue is short. */
export const AWAY_WHEN_FULL_MS = 1_000;

/** How a lane's target does, as far as this lane has seen. */
export interface TargetWatch {
  /** The lane's messages go to the task's queue; a few of them ask the target. */
  readonly isAway: boolean;
  /** Something failed since the target last took all that it was sent: what it says of topics is not believed. */
  readonly isDoubtful: boolean;
  began(nowMs: number): void;
  /** It took something. Answers true when it was away. */
  stored(nowMs: number, isBusy: boolean): boolean;
  /** All that a call carried was taken. */
  tookAll(): void;
  failed(): void;
  /** Nothing is on its way or waiting, or all that was on its way was refused for its own sake. */
  idle(): void;
  /** Whether it has to count as away by now. */
  isOverdue(nowMs: number, isWindowFull: boolean): boolean;
  leave(nowMs: number): void;
  /** Nobody has needed it for long: the next message finds out. */
  forget(): void;
  mayProbe(nowMs: number): boolean;
  probed(nowMs: number): void;
}

export function createTargetWatch(random: Random): TargetWatch {
  let isAway = false;
  let isDoubtful = false;
  /** Since when it has been sent things without taking any. */
  let unansweredSinceMs: number | undefined;
  let probes = 0;
  let nextProbeMs = 0;

  return {
    get isAway() {
      return isAway;
    },
    get isDoubtful() {
      return isDoubtful || isAway;
    },
    began(nowMs) {
      unansweredSinceMs ??= nowMs;
    },
    stored(nowMs, isBusy) {
      unansweredSinceMs = isBusy ? nowMs : undefined;
      const wasAway = isAway;
      isAway = false;
      probes = 0;
      return wasAway;
    },
    tookAll() {
      isDoubtful = false;
    },
    failed() {
      isDoubtful = true;
    },
    idle() {
      unansweredSinceMs = undefined;
    },
    isOverdue(nowMs, isWindowFull) {
      if (isAway || unansweredSinceMs === undefined) return false;
      return nowMs - unansweredSinceMs >= (isWindowFull ? AWAY_WHEN_FULL_MS : AWAY_AFTER_MS);
    },
    leave(nowMs) {
      isAway = true;
      isDoubtful = true;
      unansweredSinceMs = undefined;
      this.probed(nowMs);
    },
    forget() {
      isAway = false;
      probes = 0;
    },
    mayProbe: (nowMs) => isAway && nowMs >= nextProbeMs,
    probed(nowMs) {
      probes += 1;
      nextProbeMs = nowMs + retryWaitMs(probes, 0, random);
    },
  };
}
