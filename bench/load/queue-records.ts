import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { TASK_ID } from '../ours/records.ts';

const QUEUE_ARN = `arn:aws:sqs:eu-west-1:123456789012:mqferry-bench-00000000-${TASK_ID}`;
const BODY_BYTES = 256;

/** One invocation's worth of records. */
export function benchEvent(records: number): SQSEvent {
  return { Records: Array.from({ length: records }, (_, index) => benchRecord(index)) };
}

/** What a topic rule writes for a message that uses everything MQTT 5 has for it, as SQS hands it over. */
function benchRecord(index: number): SQSRecord {
  const now = Date.now();
  const station = index % 1_000;
  const envelope = {
    v: 1,
    task: TASK_ID,
    r: 1,
    f: 0,
    t: `stations/${station}/status`,
    c: `charger-${station}`,
    ts: now,
    id: `0f8fad5b-d9cb-469f-a165-${String(index).padStart(12, '0')}`,
    p: Buffer.alloc(BODY_BYTES, `{"error":"E12","station":${station}}`).toString('base64'),
    up: [{ site: 'berlin' }, { firmware: '1.2.3' }, { model: 'AC-22' }, { note: 'größe ü' }],
    ct: 'application/json',
    fi: 'UTF8_DATA',
    rt: `stations/${station}/replies`,
    cd: 'AAH+/w==',
  };
  return {
    messageId: `record-${index}`,
    receiptHandle: `receipt-${index}`,
    body: JSON.stringify(envelope),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: `${now}`,
      SenderId: 'rule',
      ApproximateFirstReceiveTimestamp: `${now}`,
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: QUEUE_ARN,
    awsRegion: 'eu-west-1',
  };
}
