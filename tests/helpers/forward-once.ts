import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { createForwardBatch } from '../../lib/replication/rule-path/forward-batch.ts';
import type { createTestQueues, TestQueue } from './aws-emulator.ts';

const WAIT_SECONDS = 1;
const RUN_MS = 30_000;

/** One invocation of the batching function with what a task's queue gives out; how many records have left the queue. */
export async function forwardOnce(
  queues: Pick<ReturnType<typeof createTestQueues>, 'receive' | 'sqs'>,
  queue: Pick<TestQueue, 'url' | 'arn'>,
  forwardBatch: ReturnType<typeof createForwardBatch>,
): Promise<number> {
  const received = await queues.receive(queue.url, 10, WAIT_SECONDS);
  if (received.length === 0) return 0;
  const records = received.map(({ messageId, receiptHandle, body, attributes }) => ({
    recordId: messageId,
    receiptHandle,
    queueArn: queue.arn,
    body,
    receiveCount: Number(attributes.ApproximateReceiveCount),
    sentTimeMs: Number(attributes.SentTimestamp),
    firstReceiveTimeMs: Number(attributes.ApproximateFirstReceiveTimestamp),
    ...(attributes.MessageGroupId === undefined ? {} : { groupKey: attributes.MessageGroupId }),
    ...(attributes.MessageDeduplicationId === undefined ? {} : { putId: attributes.MessageDeduplicationId }),
  }));
  const { failedRecordIds } = await forwardBatch(records, { deadlineMs: Date.now() + RUN_MS });
  const done = records.filter(({ recordId }) => !failedRecordIds.includes(recordId));
  if (done.length > 0) {
    const Entries = done.map(({ receiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
    }));
    await queues.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries }));
  }
  return done.length;
}
