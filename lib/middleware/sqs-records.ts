import type { SQSEvent } from 'aws-lambda';

/** A record of a queue in the words of the use cases; times in epoch milliseconds. */
export interface QueueRecord {
  recordId: string;
  receiptHandle: string;
  queueArn: string;
  body: string;
  receiveCount: number;
  sentTimeMs: number;
  firstReceiveTimeMs: number;
  /** FIFO queues: message group and deduplication id. */
  groupKey?: string;
  putId?: string;
  /** The queue that gave the record up, on a dead-letter queue. */
  sourceQueueArn?: string;
}

/** The records of an event. Attributes are text in an event; one that is absent or odd must not cost the batch. */
export function toQueueRecords({ Records }: SQSEvent): QueueRecord[] {
  return Records.map(({ messageId, receiptHandle, eventSourceARN, body, attributes }) => {
    const sentTimeMs = numberOf(attributes.SentTimestamp) ?? Date.now();
    const sourceQueueArn = attributes.DeadLetterQueueSourceArn;
    const { MessageGroupId: groupKey, MessageDeduplicationId: putId } = attributes;
    return {
      recordId: messageId,
      receiptHandle,
      queueArn: eventSourceARN,
      body,
      receiveCount: numberOf(attributes.ApproximateReceiveCount) ?? 1,
      sentTimeMs,
      firstReceiveTimeMs: numberOf(attributes.ApproximateFirstReceiveTimestamp) ?? sentTimeMs,
      ...(groupKey === undefined ? {} : { groupKey }),
      ...(putId === undefined ? {} : { putId }),
      ...(sourceQueueArn === undefined ? {} : { sourceQueueArn }),
    };
  });
}

function numberOf(text: string | undefined): number | undefined {
  const number = Number(text);
  return text !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
