import { randomUUID } from 'node:crypto';
import type { Context, SQSEvent, SQSRecord, SQSRecordAttributes } from 'aws-lambda';
import { NOW_MS, QUEUE_ARN } from './rule-path.ts';

export type SqsRecordChanges = Partial<Omit<SQSRecord, 'attributes'>> & {
  attributes?: Partial<SQSRecordAttributes>;
};

/** An event as Lambda makes it of records of one queue. */
export function sqsEvent(records: readonly SqsRecordChanges[]): SQSEvent {
  return {
    Records: records.map(({ attributes, ...changes }) => ({
      messageId: randomUUID(),
      receiptHandle: randomUUID(),
      body: '',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: String(NOW_MS),
        SenderId: 'AROAEXAMPLE',
        ApproximateFirstReceiveTimestamp: String(NOW_MS),
        ...attributes,
      },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: QUEUE_ARN,
      awsRegion: 'eu-west-1',
      ...changes,
    })),
  };
}

/** The part of an invocation's context that handlers of queues read. */
export function invocationContext(remainingMs = 30_000): Context {
  return {
    awsRequestId: randomUUID(),
    getRemainingTimeInMillis: () => remainingMs,
  } as Context;
}
