import { randomUUID } from 'node:crypto';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { encodeWake, SHIFT_WATCH } from '../../domain/wake-message.ts';
import type { ControlQueue } from '../../ports/control-queue.ts';

const REQUEST_TIMEOUT_MS = 5_000;
/** No task has this id. */
const WATCH_GROUP = 'shifts';

/**
 * The control queue, a FIFO queue with the task's id as message group. Every wake is a message of its own: one that SQS
 * took for a copy of a wake of the last five minutes would be lost, though converge may have answered that one already.
 */
export function createSqsControlQueue({
  sqs,
  queueUrl,
}: {
  sqs: Pick<SQSClient, 'send'>;
  queueUrl: string;
}): ControlQueue {
  async function send(MessageGroupId: string, MessageBody: string): Promise<void> {
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody,
        MessageGroupId,
        MessageDeduplicationId: randomUUID(),
      }),
      { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
    );
  }

  return {
    wake: (taskId) => send(taskId, encodeWake(taskId)),
    watchShifts: () => send(WATCH_GROUP, SHIFT_WATCH),
  };
}
