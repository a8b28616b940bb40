import { minuteOf, startOfMinuteMs } from '../../domain/figures/figures.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { RocketmqAdmin } from '../../ports/rocketmq-admin.ts';
import type { FigureMeters } from '../figures/figure-meter.ts';
import { inTime } from '../with-timeout.ts';

const WRITE_MS = 5_000;

/**
 * Keeps, as each minute begins, what waits for the group and how far it was handed out: backlog, and what the figures are compared
 * with. Done by the first lane of a task, since nothing of the API has a way to brokers. Resolves when the signal aborts.
 */
export async function samplePosition({
  taskId,
  rocketmqTopic,
  consumerGroup,
  admin,
  isComparable,
  since,
  inHand,
  figures,
  clock,
  logger,
  signal,
}: {
  taskId: string;
  rocketmqTopic: string;
  consumerGroup: string;
  admin: Pick<RocketmqAdmin, 'lag'>;
  /** The group gets every message of the topic: no filter passes any over. */
  isComparable: boolean;
  /** When the task was last started or edited (ISO 8601): its position may have been moved before. */
  since: string;
  /** Messages that a FIFO group was handed out, and that its position does not contain yet. */
  inHand: () => number;
  figures: Pick<FigureMeters, 'sample'>;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}): Promise<void> {
  while (!signal.aborted) {
    const nextMs = startOfMinuteMs(minuteOf(clock.now()) + 1);
    await clock.sleep(nextMs - clock.now(), signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const { messages, oldestStoredAtMs, read } = await admin.lag({ rocketmqTopic, consumerGroup });
      const position = read.position + inHand();
      const sample = {
        atMs: clock.now(),
        backlogMessages: messages,
        ...(oldestStoredAtMs === undefined ? {} : { oldestStoredAtMs }),
        ...(isComparable ? { read: { ...read, position, since } } : {}),
      };
      await inTime(figures.sample(taskId, sample), WRITE_MS);
    } catch (error) {
      // The next minute tells again; without it there is nothing to compare with.
      logger.warn('backlog not sampled', { taskId, error });
    }
  }
}
