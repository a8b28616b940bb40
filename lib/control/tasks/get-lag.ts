import type { Clock } from '../../ports/clock.ts';
import { brokerAnswer } from '../clusters/broker-answer.ts';
import type { RequireAdmin } from '../clusters/require-admin.ts';
import type { GetPullTask } from './get-pull-task.ts';

/** What a pull task has not read yet. */
export interface TaskLag {
  /** Of a NORMAL topic without those that are in hand of a function just now. */
  messages: number;
  /** Of the oldest of them; absent: there is none, or the broker does not tell. */
  oldestAgeSeconds?: number;
  approximate: true;
  /** ISO 8601, UTC. */
  at: string;
}

/**
 * Throws `RequestError`: what `GetPullTask` throws, 409 `NO_ADMIN_PORT`, `TOPIC_NOT_FOUND`, 502, 503 or 504 with the code of the
 * broker's refusal.
 */
export type GetLag = (taskId: string) => Promise<TaskLag>;

const REMEDY = 'see the consumer group in the cluster’s own tools or console';

export function createGetLag({
  getPullTask,
  requireAdmin,
  clock,
}: {
  getPullTask: GetPullTask;
  requireAdmin: RequireAdmin;
  clock: Pick<Clock, 'now'>;
}): GetLag {
  return async (taskId) => {
    const { cluster, rocketmqTopic, consumerGroup } = await getPullTask(taskId);
    const admin = await requireAdmin(cluster, REMEDY);
    const { messages, oldestStoredAtMs } = await brokerAnswer(admin.lag({ rocketmqTopic, consumerGroup }));
    const now = clock.now();
    return {
      messages,
      // Clocks of brokers may be ahead of ours.
      ...(oldestStoredAtMs === undefined
        ? {}
        : { oldestAgeSeconds: Math.max(0, Math.round((now - oldestStoredAtMs) / 1_000)) }),
      approximate: true,
      at: new Date(now).toISOString(),
    };
  };
}
