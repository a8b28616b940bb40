import { randomUUID } from 'node:crypto';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { encodeControlMessage } from '../../domain/control-message.ts';
import type { ControlQueue } from '../../ports/control-queue.ts';

const SEND_TIMEOUT_MS = 3_000;

/** The control queue on SQS FIFO: the message group is the task, so that its wakes are worked on one after another. */
export function createSqsControlQueue({
  sqs,
  queueUrl,
}: {
  sqs: Pick<SQSClient, 'send'>;
  queueUrl: string;
}): ControlQueue {
  return {
    async wake(taskId) {
      const command = new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: encodeControlMessage(taskId),
        MessageGroupId: taskId,
        // Never one of an earlier wake: SQS would swallow this one, and with it the change it tells of.
        MessageDeduplicationId: randomUUID(),
      });
      await sqs.send(command, { abortSignal: AbortSignal.timeout(SEND_TIMEOUT_MS) });
    },
  };
}
