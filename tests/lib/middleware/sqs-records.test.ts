import { describe, expect, it } from '@jest/globals';
import { toQueueRecords } from '../../../lib/middleware/sqs-records.ts';
import { sqsEvent } from '../../helpers/sqs-event.ts';

describe('toQueueRecords', () => {
  it('reads the attributes of a record', () => {
    const event = sqsEvent([
      {
        messageId: 'id',
        receiptHandle: 'handle',
        eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:queue',
        body: 'body',
        attributes: {
          ApproximateReceiveCount: '7',
          SentTimestamp: '1700000000001',
          ApproximateFirstReceiveTimestamp: '1700000000002',
          DeadLetterQueueSourceArn: 'arn:aws:sqs:eu-west-1:123456789012:source',
        },
      },
    ]);
    expect(toQueueRecords(event)).toEqual([
      {
        recordId: 'id',
        receiptHandle: 'handle',
        queueArn: 'arn:aws:sqs:eu-west-1:123456789012:queue',
        body: 'body',
        receiveCount: 7,
        sentTimeMs: 1_700_000_000_001,
        firstReceiveTimeMs: 1_700_000_000_002,
        sourceQueueArn: 'arn:aws:sqs:eu-west-1:123456789012:source',
      },
    ]);
  });

  it('takes a record whose attributes are absent or odd', () => {
    const attributes = {
      ApproximateReceiveCount: '-1',
      SentTimestamp: '1700000000001',
      ApproximateFirstReceiveTimestamp: 'soon',
    };
    const [record] = toQueueRecords(sqsEvent([{ attributes }]));
    expect(record).toMatchObject({
      receiveCount: 1,
      sentTimeMs: 1_700_000_000_001,
      firstReceiveTimeMs: 1_700_000_000_001,
    });
    expect(record).not.toHaveProperty('sourceQueueArn');
  });
});
