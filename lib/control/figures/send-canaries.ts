import { BridgeError } from '../../domain/errors/errors.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import {
  CANARY_EVERY_MS,
  CANARY_PATIENCE_MS,
  type CanaryFailure,
  type CanaryRecord,
  canaryFailureOf,
  canaryReason,
  canaryTopicName,
  judgeCanaries,
} from '../../domain/tasks/canary.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { canaryPayload } from '../../mapping/canary.ts';
import type { CanaryEntrance } from '../../ports/canary-entrance.ts';
import type { CanaryStore } from '../../ports/canary-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { TaskStore } from '../../ports/task-store.ts';

const CONCURRENT = 16;
const ENTER_MS = 3_000;

/** Judges the canaries of these tasks, and sends the next ones. What the time does not suffice for is for the next tick. */
export type SendCanaries = (tasks: readonly Task[], options: { isLate(): boolean }) => Promise<void>;

/** Canaries of the rule path: no function of it works all the time, so the tick is their clock. */
export function createSendCanaries(ports: {
  canaries: CanaryStore;
  entrance: CanaryEntrance;
  tasks: Pick<TaskStore, 'reportCanary' | 'appendEvent'>;
  /** Makes what nobody guesses. */
  newToken(): string;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): SendCanaries {
  const { canaries, entrance, tasks, newToken, clock, logger } = ports;

  async function tell(task: Task, verdict: 'through' | CanaryFailure): Promise<void> {
    const { taskId, reason } = task;
    const at = new Date(clock.now()).toISOString();
    if (verdict === 'through') {
      if (reason?.about !== 'canary') return;
      if (!(await tasks.reportCanary(taskId, { status: 'running' }))) return;
      await tasks.appendEvent(taskId, {
        at,
        code: 'CANARY_THROUGH',
        message: 'the canary comes through again',
      });
      return;
    }
    const why = canaryReason(verdict, at);
    if (reason?.about === 'canary' && reason.message === why.message) return;
    if (!(await tasks.reportCanary(taskId, { status: 'degraded', reason: why }))) return;
    const { code, message } = why;
    await tasks.appendEvent(taskId, { at, code, message, details: { reason: verdict.code } });
  }

  async function send({ taskId, sourceRegion }: Task, ruleName: string, canary: CanaryRecord): Promise<void> {
    const { token, sentAtMs } = canary;
    try {
      await entrance.enter({
        region: sourceRegion,
        ruleName,
        topicName: canaryTopicName(taskId),
        payload: canaryPayload({ token, sentAtMs }),
        deadlineMs: clock.now() + ENTER_MS,
      });
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      await canaries.came(taskId, { sentAtMs, failure: canaryFailureOf(error) });
    }
  }

  async function lookAt(task: Task): Promise<void> {
    const rule = firstRuleOf(task);
    if (rule === undefined) return;
    const { taskId } = task;
    const nowMs = clock.now();
    const known = await canaries.get(taskId);
    const gapMs = known === undefined ? Number.POSITIVE_INFINITY : nowMs - known.sentAtMs;
    // The tick with the audit comes beside the other one.
    if (gapMs < CANARY_EVERY_MS / 2) return;
    // Edited, paused or started since: what became of earlier ones says nothing of the task as it is now.
    const isChanged = known !== undefined && Date.parse(task.updatedAt) > known.sentAtMs;
    const isNewRun = known === undefined || gapMs > CANARY_PATIENCE_MS || isChanged;
    const verdict = isNewRun ? 'unknown' : judgeCanaries(known, nowMs);
    if (verdict !== 'unknown') await tell(task, verdict);
    const sinceMs = isNewRun ? nowMs : known.sinceMs;
    await send(task, rule, await canaries.sending(taskId, { token: newToken(), sinceMs, sentAtMs: nowMs }));
  }

  return async (due, { isLate }) => {
    await forEachInFlight(due, CONCURRENT, async (task) => {
      if (isLate()) return;
      try {
        await lookAt(task);
      } catch (error) {
        // The next tick sends another; one or two may be missing.
        logger.warn('canary not sent', { taskId: task.taskId, error });
      }
    });
  };
}

/** All rules of a task do the same, and one of them is enough. */
function firstRuleOf({ resources }: Task): string | undefined {
  const [first] = Object.entries(resources.rules)
    .filter(([, { enabled }]) => enabled)
    .sort(([one], [other]) => Number(one) - Number(other));
  return first?.[1].name;
}
