import {
  GetQueueAttributesCommand,
  type GetQueueAttributesCommandOutput,
  type QueueAttributeName,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { QueueBacklog, QueueCounter } from '../../ports/task-queues.ts';
import { isNoSuchQueue } from './errors.ts';

const COUNT_TIMEOUT_MS = 3_000;

/** The counts of a queue, all approximate. */
type CountName = Extract<QueueAttributeName, `ApproximateNumberOfMessages${string}`>;
export const COUNTS: CountName[] = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
];

/** Counts a task's queue on SQS, and can do nothing else with it: what the task API is given. Errors are the SDK's own. */
export function createSqsQueueCounter({ sqs }: { sqs: Pick<SQSClient, 'send'> }): QueueCounter {
  return {
    async backlog(queueUrl) {
      const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: COUNTS });
      const answer = await sqs
        .send(command, { abortSignal: AbortSignal.timeout(COUNT_TIMEOUT_MS) })
        .catch((error: unknown) => {
          if (isNoSuchQueue(error)) return undefined;
          throw error;
        });
      return answer && backlogOf(answer);
    },
  };
}

/** What SQS answered to `COUNTS`. */
export function backlogOf({ Attributes = {} }: GetQueueAttributesCommandOutput): QueueBacklog {
  const count = (name: CountName) => Number(Attributes[name] ?? 0);
  return {
    waiting: count('ApproximateNumberOfMessages') + count('ApproximateNumberOfMessagesDelayed'),
    inFlight: count('ApproximateNumberOfMessagesNotVisible'),
  };
}
