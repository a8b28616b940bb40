import type { BridgeError } from '../../domain/errors/errors.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import { retryPolicyOf } from '../../domain/tasks/retry-policy.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { pathOf } from '../../domain/tasks/task-path.ts';
import { literalTextOf } from '../../domain/templates/template.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LaneLeases } from '../../ports/lane-leases.ts';
import type { Logger } from '../../ports/logger.ts';
import type { RetryVerdict, RetryWatch, Taken } from '../retry-watch.ts';
import { inTime } from '../with-timeout.ts';
import type { Outgoing } from './send-topic.ts';

/** Topics that one sandbox can have to do with at a time, generously. */
const MAX_TOPICS = 1_000;
const TABLE_MS = 3_000;
/** Tell nothing of the message: it was never sent, the target wants less, or is short of a part of itself. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([
  'DEADLINE_PASSED',
  'NOT_SENT',
  'GROUP_STOPPED',
  'INTERNAL_ERROR',
  'TARGET_STORED_UNSAFE',
]);
/**
 * The target has not answered. A send ends with the first of these, and the others of it fail with the same code; and a message
 * group lies on one broker of several, which may be away while the others take what is theirs.
 */
const NO_ANSWER: ReadonlySet<string> = new Set([
  'TARGET_UNREACHABLE',
  'TARGET_UNAVAILABLE',
  'TARGET_TIMEOUT',
]);

/** The retries of one batch of a task. */
export interface BatchRetries {
  /** The target has taken a message of this topic. */
  taken(rocketmqTopic: string): void;
  /** @param isAlone - it was the only message of its send */
  judge(outgoing: Outgoing, error: BridgeError, isAlone: boolean): Promise<RetryVerdict>;
}

/** Made once for each batch. */
export type RetriesOfBatch = (task: Task) => BatchRetries;

/** Remembers from batch to batch which topics have taken something, whoever's it was. */
export function createRetriesOfBatches(
  watch: RetryWatch,
  { lanes, clock, logger }: { lanes: Pick<LaneLeases, 'list'>; clock: Pick<Clock, 'now'>; logger: Logger },
): RetriesOfBatch {
  const takenByTopic = new Map<string, Taken>();
  // No identifier of a cluster has a blank.
  const keyOf = (clusterId: string, rocketmqTopic: string) => `${clusterId} ${rocketmqTopic}`;

  /**
   * Of a session most messages never come here: when its lanes have last sent one to the topic. Rendered topics they may have
   * sent to another.
   */
  async function lanesTookAtMs({ taskId, definition }: Task): Promise<number> {
    const isOfLanes =
      pathOf(definition) === 'session' && literalTextOf(definition.target.topic) !== undefined;
    if (!isOfLanes) return 0;
    try {
      const states = await inTime(lanes.list(taskId), TABLE_MS);
      return Math.max(0, ...states.map(({ state }) => state?.lastStoredAtMs ?? 0));
    } catch (error) {
      // Then nothing is known of them, and fewer tries count.
      logger.warn('lanes not read', { taskId, error });
      return 0;
    }
  }

  return (task) => {
    const { taskId, definition } = task;
    const { clusterId } = definition.target;
    const policy = retryPolicyOf(definition.options.retry);
    let reading: Promise<number> | undefined;

    async function takenOf(rocketmqTopic: string): Promise<Taken> {
      reading ??= lanesTookAtMs(task);
      const here = takenByTopic.get(keyOf(clusterId, rocketmqTopic)) ?? { atMs: 0, count: 0 };
      return { ...here, elsewhereAtMs: await reading };
    }

    return {
      taken(rocketmqTopic) {
        const key = keyOf(clusterId, rocketmqTopic);
        const count = (takenByTopic.get(key)?.count ?? 0) + 1;
        keepRecent(takenByTopic, key, { atMs: clock.now(), count }, MAX_TOPICS);
      },
      async judge({ record, message }, error, isAlone) {
        const counts =
          policy !== undefined && isOfMessage(error, isAlone && message.messageGroup === undefined);
        if (!counts) return { kind: 'uncounted' };
        return watch({
          taskId,
          messageId: record.recordId,
          policy,
          error,
          taken: await takenOf(message.rocketmqTopic),
          firstSeenAtMs: record.firstReceiveTimeMs,
        });
      },
    };
  };
}

function isOfMessage({ reaction, code }: BridgeError, mayBeUnanswered: boolean): boolean {
  if (reaction !== 'retry' || SAYS_NOTHING.has(code)) return false;
  return mayBeUnanswered || !NO_ANSWER.has(code);
}
