import type { BridgeError } from '../../domain/errors/errors.ts';
import { type CanaryFailure, canaryReason } from '../../domain/tasks/canary.ts';
import type { StatusReason, Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { LaneTasks } from '../../ports/task-reader.ts';
import type { LaneHealth } from './lane.ts';

/** So long may the same refusal last that a person has to mend, before the task is failed instead of degraded. */
const REFUSED_FOR_MS = 60 * 60_000;

/** Nothing but a person ends these, and trying on would harm the other client. */
const FAILS_AT_ONCE: ReadonlySet<string> = new Set(['CLIENT_ID_TAKEN']);

/** The health of a lane's task, as its holder has it. */
export interface TaskHealth extends LaneHealth {
  /** The task was failed: only its user starts it again, with new lanes. */
  readonly hasFailed: boolean;
  /** Says what could not be written when it was said. */
  retry(): void;
  /**
   * Says once more what keeps failing: something else may have stood in its way when it was written. What works is said
   * once: another lane of the task, or its queue, may be failing.
   *
   * @param alsoWorking - what an earlier owner said may have come later, and nobody else speaks for the task
   */
  sayAgain(options: { alsoWorking: boolean }): void;
}

/**
 * Says to a task's status what one of its lanes learns. Writes changes only, one at a time, the latest last; a report that
 * cannot be written changes nothing else: the next one, or a retry, says it again.
 */
export function createLaneHealth({
  task,
  tasks,
  clock,
  logger,
}: {
  task: Pick<Task, 'taskId'>;
  tasks: Pick<LaneTasks, 'reportLane' | 'reportCanary' | 'appendEvent'>;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): TaskHealth {
  const { taskId } = task;
  /** Undefined: nothing was said yet. */
  let said: { reason?: StatusReason | undefined } | undefined;
  let wanted: { reason?: StatusReason | undefined } | undefined;
  let hasFailed = false;
  /** What could not be written of it. */
  let unsaidFailure: StatusReason | undefined;
  let writing = false;
  /** Said by this lane: an earlier owner may have said otherwise. */
  let isThrough = false;

  async function write(): Promise<void> {
    // Bounded by the calls below: each sets `wanted` to something else at most once.
    while (wanted !== undefined && (said === undefined || wanted.reason?.code !== said.reason?.code)) {
      const next = wanted;
      const changed = await (next.reason === undefined
        ? tasks.reportLane(taskId, { status: 'running' })
        : tasks.reportLane(taskId, { status: 'degraded', reason: next.reason }));
      said = next;
      if (!changed) continue;
      if (next.reason === undefined)
        await tell('TASK_RUNNING', 'both ends are connected, messages are carried');
      else await tell('TASK_DEGRADED', next.reason.message, { reason: next.reason.code });
    }
  }

  async function tell(code: string, message: string, details?: Record<string, unknown>): Promise<void> {
    const at = new Date(clock.now()).toISOString();
    await tasks.appendEvent(taskId, { at, code, message, ...(details === undefined ? {} : { details }) });
  }

  function report(next: { reason?: StatusReason | undefined }): void {
    wanted = next;
    if (writing) return;
    writing = true;
    write()
      .catch((error: unknown) => {
        said = undefined;
        logger.warn('health not reported', { taskId, error });
      })
      .finally(() => {
        writing = false;
      });
  }

  function fail(reason: StatusReason): void {
    unsaidFailure = undefined;
    writeFailure(reason).catch((error: unknown) => {
      unsaidFailure = reason;
      logger.warn('failure not reported', { taskId, error });
    });
  }

  async function writeFailure(reason: StatusReason): Promise<void> {
    const { about: _, ...final } = reason;
    if (await tasks.reportLane(taskId, { status: 'failed', reason: final })) {
      await tell('TASK_FAILED', reason.message, { reason: reason.code });
    }
  }

  /** What does not come through is said each time: the word of an end may have taken its place meanwhile, and have gone. */
  async function tellCanary(verdict: 'through' | CanaryFailure): Promise<void> {
    if (verdict === 'through') {
      if (isThrough) return;
      const changed = await tasks.reportCanary(taskId, { status: 'running' });
      isThrough = true;
      if (changed) await tell('CANARY_THROUGH', 'the canary comes through again');
      return;
    }
    isThrough = false;
    const reason = canaryReason(verdict, new Date(clock.now()).toISOString());
    const changed = await tasks.reportCanary(taskId, { status: 'degraded', reason });
    if (changed) await tell(reason.code, reason.message, { reason: verdict.code });
  }

  return {
    get hasFailed() {
      return hasFailed;
    },
    retry() {
      if (unsaidFailure !== undefined) fail(unsaidFailure);
      else if (said === undefined && wanted !== undefined && !hasFailed) report(wanted);
    },
    sayAgain({ alsoWorking }) {
      if (wanted === undefined || hasFailed || writing) return;
      if (wanted.reason === undefined && !alsoWorking) return;
      said = undefined;
      report(wanted);
    },
    working() {
      if (!hasFailed) report({});
    },
    canary(verdict) {
      if (hasFailed) return;
      tellCanary(verdict).catch((error: unknown) => {
        // The next canary says it.
        isThrough = false;
        logger.warn('canary not reported', { taskId, error });
      });
    },

    failing(error, end = 'target') {
      if (hasFailed) return;
      const nowMs = clock.now();
      const before = wanted?.reason;
      // An outage shows itself under changing codes: one of them is enough. What a person has to do is always said.
      const isSame = before?.about === end && (before.code === error.code || error.reaction !== 'hold');
      const reason = isSame ? before : reasonOf(error, end, nowMs);
      const isRefused = error.reaction === 'hold' && nowMs - Date.parse(reason.at) >= REFUSED_FOR_MS;
      if (!FAILS_AT_ONCE.has(error.code) && !isRefused) return report({ reason });
      hasFailed = true;
      fail(reason);
    },
  };
}

function reasonOf(
  { code, message, hint }: BridgeError,
  about: 'source' | 'target',
  nowMs: number,
): StatusReason {
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    at: new Date(nowMs).toISOString(),
    about,
  };
}
