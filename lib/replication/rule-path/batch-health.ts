import type { BridgeError } from '../../domain/errors/errors.ts';
import type { StatusReason, Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { TaskReader } from '../../ports/task-reader.ts';
import type { NewTaskEvent } from '../../ports/task-store.ts';
import { withTimeout } from '../with-timeout.ts';

/** A report may not hold up the batch for longer than this at its end. */
const REPORT_TIMEOUT_MS = 2_000;

/** Comes and goes by the second where it comes at all: no event. */
const THROTTLED = 'TARGET_THROTTLED';

/** What this batch learns about the task's target, said to the task's status. */
export interface BatchHealth {
  /** A call to the target failed. The report leaves at once, not when the retries are over. */
  failing(rocketmqTopic: string, error: BridgeError): void;
  /** The target took something, and nothing of this topic is failing any more. */
  working(rocketmqTopic: string): void;
  /** True while neither the stored status nor this batch says that the target is in trouble. */
  isHealthy(): boolean;
  /** Waits for reports on their way, for a bounded time. */
  settled(): Promise<void>;
}

/**
 * Reports changes only: the task's status was read with this batch, so it is known what the table says. With topics
 * side by side the task is running again when none of them is failing. A reason that the control plane gave is not
 * taken back. A report is a courtesy: its failure changes no outcome.
 */
export function createBatchHealth({
  task,
  tasks,
  clock,
  logger,
}: {
  task: Task;
  tasks: Pick<TaskReader, 'reportHealth' | 'appendEvent'>;
  clock: Clock;
  logger: Logger;
}): BatchHealth {
  const failingTopics = new Set<string>();
  let reported = task.status === 'degraded' && task.reason?.about === 'target' ? task.reason : undefined;
  let wanted = reported;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    // Bounded by the number of calls below: each can set `wanted` to something else once.
    while (wanted?.code !== reported?.code) {
      const next = wanted;
      try {
        const changed = await tasks.reportHealth(
          task.taskId,
          next === undefined ? { status: 'running' } : { status: 'degraded', reason: next },
        );
        // Of the batches that see the same outage, one changes the status, and that one tells.
        if (changed && ![next, reported].some((one) => one?.code === THROTTLED)) await tell(next);
        reported = next;
      } catch (error) {
        logger.warn('health not reported', { taskId: task.taskId, error });
        return;
      }
    }
  }

  async function tell(reason: StatusReason | undefined): Promise<void> {
    try {
      await tasks.appendEvent(task.taskId, eventOf(reason, clock.now()));
    } catch (error) {
      // The status has it.
      logger.warn('event not written', { taskId: task.taskId, error });
    }
  }

  function report(next: StatusReason | undefined): void {
    wanted = next;
    writing ??= write().finally(() => {
      writing = undefined;
    });
  }

  return {
    failing(rocketmqTopic, error) {
      failingTopics.add(rocketmqTopic);
      // An outage shows itself under changing codes: one of them is enough. What a person has to do is always said.
      if (wanted !== undefined && error.reaction !== 'hold') return report(wanted);
      report({
        code: error.code,
        message: error.message,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        at: new Date(clock.now()).toISOString(),
        about: 'target',
      });
    },
    working(rocketmqTopic) {
      failingTopics.delete(rocketmqTopic);
      if (failingTopics.size === 0) report(undefined);
    },
    isHealthy: () => wanted === undefined && failingTopics.size === 0,
    async settled() {
      if (writing !== undefined) await withTimeout(writing, REPORT_TIMEOUT_MS);
    },
  };
}

function eventOf(reason: StatusReason | undefined, nowMs: number): NewTaskEvent {
  const at = new Date(nowMs).toISOString();
  if (reason === undefined) return { at, code: 'TASK_RUNNING', message: 'the target takes messages again' };
  return { at, code: 'TASK_DEGRADED', message: reason.message, details: { reason: reason.code } };
}
