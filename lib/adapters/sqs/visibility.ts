import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Logger } from '../../ports/logger.ts';
import type { Visibility, VisibilityChange } from '../../ports/visibility.ts';
import { inChunks, MAX_ENTRIES } from './in-chunks.ts';
import { queueUrlOf } from './queue-url.ts';

const CONCURRENT_REQUESTS = 8;
const REQUEST_TIMEOUT_MS = 3_000;

/** Visibility by `ChangeMessageVisibilityBatch`. The client must be made with `useQueueUrlAsEndpoint: false`. */
export function createSqsVisibility({ sqs, logger }: { sqs: SQSClient; logger: Logger }): Visibility {
  async function changeChunk(queueUrl: string, chunk: readonly VisibilityChange[]): Promise<boolean[]> {
    const answer = await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: queueUrl,
        Entries: chunk.map((change, index) => ({
          Id: String(index),
          ReceiptHandle: change.receiptHandle,
          VisibilityTimeout: change.visibilityTimeoutSeconds,
        })),
      }),
      { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
    );
    const taken = new Set(answer.Successful?.map((entry) => entry.Id));
    return chunk.map((_, index) => taken.has(String(index)));
  }

  return {
    async change(queueArn, changes) {
      const queueUrl = queueUrlOf(queueArn);
      const chunks: VisibilityChange[][] = [];
      for (let at = 0; at < changes.length; at += MAX_ENTRIES)
        chunks.push(changes.slice(at, at + MAX_ENTRIES));
      const answers = await inChunks(
        chunks,
        CONCURRENT_REQUESTS,
        (chunk) => changeChunk(queueUrl, chunk),
        (chunk, error) => {
          // Not changed means later, not lost: the records return after the queue's own visibility timeout.
          logger.warn('visibility not changed', { queueArn, records: chunk.length, error });
          return chunk.map(() => false);
        },
      );
      return answers.flat();
    },
  };
}
