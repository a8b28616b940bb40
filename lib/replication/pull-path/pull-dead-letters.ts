import type { BridgeError } from '../../domain/errors/errors.ts';
import { triesOf } from '../../domain/tasks/retry-policy.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { encodeRocketmqEnvelope } from '../../mapping/rocketmq-envelope.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { ReceivedMessage } from '../../ports/message-consumer.ts';
import { deadLetterIdOf } from '../dead-letters/dead-letter-id.ts';
import type { FigureMeter } from '../figures/figure-meter.ts';
import { pulledError } from './pulled-error.ts';

/**
 * Stores a message that was received from RocketMQ as a dead letter; the same one again replaces it. Throws while the store
 * does not take it: the message must not be acknowledged.
 *
 * @param targetTopic - as rendered; undefined: it came to none
 */
export type KeepDeadLetter = (
  message: ReceivedMessage,
  error: BridgeError,
  targetTopic?: string,
) => Promise<void>;

export function createPullDeadLetters({
  task: { taskId, version },
  consumerGroup,
  deadLetters,
  figures,
  clock,
}: {
  task: Pick<Task, 'taskId' | 'version'>;
  consumerGroup: string;
  deadLetters: Pick<DeadLetterStore, 'put'>;
  figures: Pick<FigureMeter, 'failed'>;
  clock: Clock;
}): KeepDeadLetter {
  return async (message, error, targetTopic) => {
    const nowMs = clock.now();
    const identity = { taskId, recordId: message.messageId, firstSeenAtMs: message.bornTimeMs };
    const deadLetterId = deadLetterIdOf(identity);
    await deadLetters.put({
      deadLetterId,
      taskId,
      origin: 'pull',
      version,
      code: error.code,
      reason: error.message,
      body: encodeRocketmqEnvelope({ ...message, taskId, version, consumerGroup }),
      attempts: message.deliveryAttempt,
      ...triesOf(error),
      sourceTopic: message.rocketmqTopic,
      ...(targetTopic === undefined ? {} : { targetTopic }),
      firstSeenAtMs: message.bornTimeMs,
      failedAtMs: nowMs,
      storedAtMs: nowMs,
    });
    figures.failed(
      pulledError(message, error, { atMs: nowMs, outcome: 'dead-letter', targetTopic, deadLetterId }),
    );
  };
}
