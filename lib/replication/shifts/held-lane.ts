import { type BridgeError, BrokerHoldError } from '../../domain/errors/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LaneLease, LaneLeases, LaneMemory, LaneState } from '../../ports/lane-leases.ts';
import type { Logger } from '../../ports/logger.ts';
import type { RosterEntry } from '../../ports/shifts.ts';
import type { LaneTasks } from '../../ports/task-reader.ts';
import { asBridgeError } from '../outcome.ts';
import type { Lane, LaneEnd, LaneHealth, OpenLane } from './lane.ts';
import type { LaneEnds, LaneEndsReader } from './lane-ends.ts';
import { createLaneHealth } from './lane-health.ts';
import { keepLease } from './lease-keeper.ts';
import type { ShiftTimes } from './shift-times.ts';

const SHORTEST_REOPEN_MS = 100;
const FIRST_REOPEN_MS = 500;
/** An end that was away is noticed within seconds of its return; what a person has to mend may wait. */
const LONGEST_REOPEN_MS: Readonly<Record<BridgeError['reaction'], number>> = {
  retry: 1_000,
  throttle: 10_000,
  hold: 30_000,
  'dead-letter': 30_000,
};
/** A lane that worked for so long begins its back-off anew. */
const STABLE_MS = 60_000;
/** Every so many renewals it is said again how the lane is; what could not be written, at each. */
const SAY_AGAIN_AFTER = 10;
const CLIENT_ID_TAKEN = 'CLIENT_ID_TAKEN';
const CLOSED_SILENTLY = 'CONNECTION_CLOSED';
const RESET_SILENTLY = 'CONNECTION_RESET';

export interface HeldLanePorts {
  leases: LaneLeases;
  tasks: LaneTasks;
  ends: LaneEndsReader;
  openLane: OpenLane;
  times: ShiftTimes;
  clock: Clock;
  logger: Logger;
}

/** How a lane is to be ended. `hand-over`: somebody waits for it. `stop`: it is not wanted any more, or otherwise. */
export type StopReason = 'stop' | 'hand-over';

/** A lane whose lease this shift holds: renewed, opened, and opened again when it closed. */
export interface HeldLane {
  readonly entry: RosterEntry;
  readonly lane: number;
  /** Resolves, and never rejects, when the lease is given back or lost and nothing of the lane is left. */
  readonly ended: Promise<void>;
  /** Resolves as soon as the lease is free for others, or lost. */
  stop(reason: StopReason): Promise<void>;
  lastMessageAtMs(): number;
}

/** Works on a lane until it is stopped or its lease is lost. */
export function holdLane(
  entry: RosterEntry,
  granted: { lease: LaneLease; memory: LaneMemory },
  ports: HeldLanePorts,
): HeldLane {
  const { times, clock, logger, ends: endsReader } = ports;
  const { taskId, mode } = entry;
  const { lane: number } = granted.lease;
  const keeper = keepLease(granted, ports);
  const taskHealth = createLaneHealth({ ...ports, task: { taskId } });
  let hasWorked = false;
  // How a lane is that was given back, or slept through its lease, its new owner says: what fails here may be well there.
  const isToBeSaid = keeper.isOurs;
  const health: LaneHealth = {
    working() {
      if (isToBeSaid()) taskHealth.working();
      if (hasWorked) return;
      hasWorked = true;
      // Converge waits for it.
      void renew();
    },
    failing(error, end) {
      if (!isToBeSaid()) return;
      taskHealth.failing(error, end);
      // What it would carry from now on, the status would deny.
      if (taskHealth.hasFailed) open?.reopen();
    },
    canary(verdict) {
      if (isToBeSaid()) taskHealth.canary(verdict);
    },
  };
  const evictions = createEvictionWatch(clock);
  const stopping = new AbortController();
  const stopped = whenAborted(stopping.signal);
  keeper.gone.addEventListener('abort', () => stopping.abort(), { once: true });
  let reason: StopReason = 'stop';
  let isDone = false;
  let open: { lane: Lane; ends: LaneEnds; reopen: () => void } | undefined;

  const renew = () =>
    keeper.renew({
      mode,
      version: open?.ends.task.version ?? entry.version,
      isEffective: isDone || (open?.lane.isEffective() ?? false),
      ...lastStored(),
    });

  function lastStored(): Pick<LaneState, 'lastStoredAtMs'> {
    const atMs = open?.lane.lastStoredAtMs?.() ?? 0;
    return atMs === 0 ? {} : { lastStoredAtMs: atMs };
  }

  /** A lane that carries all of its task, and does. */
  const speaksAlone = () => mode === 'forward' && entry.lanes === 1 && open?.lane.isEffective() === true;

  async function renewing(): Promise<void> {
    let isRenewed = true;
    let renewals = 0;
    while (!stopping.signal.aborted) {
      await pause(isRenewed ? times.renewMs : times.renewAgainMs);
      if (stopping.signal.aborted) return;
      isRenewed = await renew();
      // A table that does not answer is asked nothing else.
      if (!isRenewed) continue;
      renewals += 1;
      const isFirst = renewals === SAY_AGAIN_AFTER;
      if (renewals % SAY_AGAIN_AFTER === 0) taskHealth.sayAgain({ alsoWorking: isFirst && speaksAlone() });
      else taskHealth.retry();
      if (open !== undefined && (await endsReader.haveChanged(open.ends))) open.reopen();
    }
  }

  async function working(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const openedAtMs = clock.now();
      const end = await workOnce();
      if (end.reason === 'failed') await tellFailure(end.error);
      if (end.reason === 'done') isDone = true;
      // Nothing more to do here; and to connect again would throw a foreign client out.
      if (isDone || taskHealth.hasFailed || end.reason === 'given-up') return idle();
      if (end.reason === 'reopen') continue;
      const lastedMs = clock.now() - openedAtMs;
      failures = lastedMs > STABLE_MS ? 1 : failures + 1;
      await pause(waitAfter(lastedMs, reopenWaitMs(failures, end)));
      // Never connect on a lease that may be somebody else's by now.
      await renew();
    }
  }

  /** An attempt that got no answer was waited for already: that asks no oftener, and finds sooner who is back. */
  function waitAfter(lastedMs: number, waitMs: number): number {
    return Math.max(SHORTEST_REOPEN_MS, hasWorked ? waitMs : waitMs - lastedMs);
  }

  async function tellFailure(error: BridgeError): Promise<void> {
    const told = evictions.isEvicted() ? clientIdTaken(error) : error;
    // A new owner throws us out by right, and we may have slept: the table knows which of us is the foreign client.
    if (told.code === CLIENT_ID_TAKEN && !(await renew())) return;
    if (!stopping.signal.aborted) health.failing(told, 'source');
  }

  /** Keeps the lease until it is stopped. */
  async function idle(): Promise<void> {
    await renew();
    await stopped;
  }

  /** One life of the lane: opened, until it ends by itself, is told to, or its clusters have changed. */
  async function workOnce(): Promise<LaneEnd | { reason: 'reopen' } | { reason: 'given-up' }> {
    try {
      hasWorked = false;
      const ends = await endsReader.read(entry);
      // By another lane or shift: its user starts it again, with new lanes.
      if (mode === 'forward' && ends.task.status === 'failed') return { reason: 'given-up' };
      const { memory, remember, isOurs } = keeper;
      const firstLaneMemory = number === 0 ? memory : await memoryOfFirstLane();
      const lane = ports.openLane({
        ...ends,
        lane: number,
        mode,
        memory,
        firstLaneMemory,
        remember,
        isOurs,
        health,
      });
      const reopening = Promise.withResolvers<undefined>();
      open = { lane, ends, reopen: () => reopening.resolve(undefined) };
      const end = await Promise.race([lane.ended, stopped, reopening.promise]);
      if (end?.reason === 'failed' && hasWorked) evictions.note(end.error.code);
      if (end === undefined && keeper.isOurs()) await lane.drain(times.drainMs);
      if (stopping.signal.aborted) await giveBackOpen(lane);
      await lane.close();
      return end ?? { reason: 'reopen' };
    } catch (error) {
      return { reason: 'failed', error: asBridgeError(error) };
    } finally {
      open = undefined;
    }
  }

  /** The lease goes before the connection: who takes it over connects without a gap. */
  async function giveBackOpen(lane: Lane): Promise<void> {
    await keeper.giveBack();
    if (reason === 'hand-over') await Promise.race([lane.ended, clock.sleep(times.takeoverMs)]);
  }

  async function memoryOfFirstLane(): Promise<LaneMemory> {
    const [first] = await ports.leases.list(taskId);
    return first?.lane === 0 ? (first.memory ?? {}) : {};
  }

  /** Ends early, and without an error, when the lane is stopped. */
  async function pause(ms: number): Promise<void> {
    await clock.sleep(ms, stopping.signal).catch(() => undefined);
  }

  async function run(): Promise<void> {
    try {
      await Promise.all([working(), renewing()]);
    } catch (error) {
      logger.error('lane ended by a fault', { taskId, lane: number, error });
    } finally {
      await keeper.giveBack();
      stopping.abort();
    }
  }

  return {
    entry,
    lane: number,
    ended: run(),
    lastMessageAtMs: () => open?.lane.lastMessageAtMs() ?? 0,
    async stop(why) {
      reason = why;
      stopping.abort();
      await whenAborted(keeper.gone);
    },
  };
}

/**
 * So many silent closes of lanes that worked, within this time and while the lease is ours: somebody else uses our client id.
 * Networks reset connections too, so that more of resets, for longer, is asked.
 */
const EVICTIONS: readonly { codes: ReadonlySet<string>; closes: number; withinMs: number }[] = [
  { codes: new Set([CLOSED_SILENTLY]), closes: 3, withinMs: 10_000 },
  { codes: new Set([CLOSED_SILENTLY, RESET_SILENTLY]), closes: 10, withinMs: 60_000 },
];
const LONGEST_EVICTION_MS = Math.max(...EVICTIONS.map(({ withinMs }) => withinMs));

/** Counts how often a lane was closed from outside, without a reason where a takeover has none. */
function createEvictionWatch(clock: Pick<Clock, 'now'>): { note(code: string): void; isEvicted(): boolean } {
  let closes: { code: string; atMs: number }[] = [];
  return {
    note(code) {
      const nowMs = clock.now();
      closes = closes.filter(({ atMs }) => atMs >= nowMs - LONGEST_EVICTION_MS);
      closes.push({ code, atMs: nowMs });
    },
    isEvicted: () =>
      EVICTIONS.some(({ codes, closes: most, withinMs }) => {
        const fits = ({ code, atMs }: { code: string; atMs: number }) =>
          codes.has(code) && atMs >= clock.now() - withinMs;
        return closes.filter(fits).length >= most;
      }),
  };
}

/** Exponential, the upper half of each step by chance. */
function reopenWaitMs(failures: number, end: LaneEnd): number {
  const longestMs = LONGEST_REOPEN_MS[end.reason === 'failed' ? end.error.reaction : 'retry'];
  const step = Math.min(longestMs, FIRST_REOPEN_MS * 2 ** Math.min(failures - 1, 16));
  return Math.ceil(step / 2 + (Math.random() * step) / 2);
}

function whenAborted(signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (signal.aborted) resolve(undefined);
  else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  return promise;
}

function clientIdTaken(cause: BridgeError): BridgeError {
  if (cause.code === CLIENT_ID_TAKEN) return cause;
  return new BrokerHoldError(
    'the connection was closed again and again within seconds, although the lease is ours',
    {
      code: CLIENT_ID_TAKEN,
      scope: 'cluster',
      hint: 'Find the other client that connects with this client identifier, or another stack that runs the same task.',
      cause,
    },
  );
}
