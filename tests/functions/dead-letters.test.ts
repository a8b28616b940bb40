import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { encodeHandOver } from '../../lib/domain/dead-letters/dead-letter.ts';
import { envelopeText, NOW_MS, QUEUE_ARN, TASK_ID } from '../helpers/rule-path.ts';
import { invocationContext, sqsEvent } from '../helpers/sqs-event.ts';

const documents = mockClient(DynamoDBDocumentClient);
const s3 = mockClient(S3Client);
type Handler = typeof import('../../functions/dead-letters.ts')['handler'];

describe('handler of dead-letters', () => {
  let handler: Handler;
  beforeAll(async () => {
    Object.assign(process.env, {
      TABLE_NAME: 'table',
      DEAD_LETTER_BUCKET: 'bucket',
      SERVICE: 'mqferry',
      STAGE: 'dev',
      AWS_REGION: 'eu-west-1',
      LOG_LEVEL: 'ERROR',
    });
    ({ handler } = await import('../../functions/dead-letters.ts'));
  });
  beforeEach(() => {
    documents.reset();
    s3.reset();
    documents.on(PutCommand).resolves({});
    s3.on(PutObjectCommand).resolves({});
  });

  const handOver = (envelope: string) =>
    encodeHandOver({
      taskId: TASK_ID,
      version: 3,
      code: 'UNMAPPABLE',
      reason: 'a value is missing',
      recordId: 'record',
      envelope,
      attempts: 1,
      firstSeenAtMs: NOW_MS,
      failedAtMs: NOW_MS,
    });
  const stored = () => documents.commandCalls(PutCommand).map((call) => call.args[0].input.Item);

  it('stores every shape that comes', async () => {
    const event = sqsEvent([
      { body: handOver('{}') },
      { body: envelopeText(), attributes: { DeadLetterQueueSourceArn: QUEUE_ARN } },
      {
        body: JSON.stringify({
          ruleName: `x_${TASK_ID}_0`,
          topic: 't',
          base64OriginalPayload: '',
          failures: [],
        }),
      },
      { body: 'whatever' },
    ]);
    expect(await handler(event, invocationContext())).toEqual({ batchItemFailures: [] });
    expect(stored().map((item) => [item?.PK, item?.code])).toEqual([
      [`TASK#${TASK_ID}`, 'UNMAPPABLE'],
      [`TASK#${TASK_ID}`, 'QUEUE_GAVE_UP'],
      [`TASK#${TASK_ID}`, 'RULE_ACTION_FAILED'],
      ['TASK#UNKNOWN', 'UNKNOWN_SHAPE'],
    ]);
  });

  it('names what is not surely stored', async () => {
    s3.on(PutObjectCommand).rejects(new Error('away'));
    const event = sqsEvent([
      { messageId: 'large', body: handOver('x'.repeat(250_000)) },
      { messageId: 'small', body: handOver('x') },
    ]);
    expect(await handler(event, invocationContext())).toEqual({
      batchItemFailures: [{ itemIdentifier: 'large' }],
    });
    expect(stored()).toHaveLength(1);
  });
});
