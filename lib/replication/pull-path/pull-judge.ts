import type { BridgeError } from '../../domain/errors/errors.ts';
import { retryPolicyOf } from '../../domain/tasks/retry-policy.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ReceivedMessage } from '../../ports/message-consumer.ts';
import type { RetryTallies } from '../../ports/retry-tallies.ts';
import type { Random } from '../retry-schedule.ts';
import { createRetryWatch, type RetryVerdict } from '../retry-watch.ts';
import type { TargetGate } from './target-gate.ts';

/** Counts a failure to publish, as `options.retry` of the task has it. */
export type JudgePulled = (message: ReceivedMessage, error: BridgeError) => Promise<RetryVerdict>;

/** For as long as a lane lives; what was counted before is in the table. Undefined: the task does not bound its tries. */
export function createPullJudge(
  { taskId, definition }: Task,
  gate: Pick<TargetGate, 'lastAcceptedAtMs' | 'acceptances'>,
  ports: { retryTallies: RetryTallies; clock: Clock; logger: Logger; random: Random },
): JudgePulled | undefined {
  const policy = retryPolicyOf(definition.options.retry);
  if (policy === undefined) return undefined;
  const watch = createRetryWatch({ ...ports, tallies: ports.retryTallies });
  return ({ messageId }, error) => {
    const taken = { atMs: gate.lastAcceptedAtMs, count: gate.acceptances };
    return watch({ taskId, messageId, policy, error, taken, firstSeenAtMs: 0 });
  };
}
