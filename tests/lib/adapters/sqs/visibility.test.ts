import {
  ChangeMessageVisibilityBatchCommand,
  type ChangeMessageVisibilityBatchCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createSqsVisibility } from '../../../../lib/adapters/sqs/visibility.ts';
import { createRecordingLogger, QUEUE_ARN } from '../../../helpers/rule-path.ts';

const sqs = mockClient(SQSClient);
beforeEach(() => {
  sqs.reset();
});

const changes = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    receiptHandle: `handle-${index}`,
    visibilityTimeoutSeconds: 3,
  }));
const takeAll = (input: ChangeMessageVisibilityBatchCommandInput) => ({
  Successful: (input.Entries ?? []).map(({ Id }) => ({ Id })),
  Failed: [],
});
const setUp = () => {
  const logger = createRecordingLogger();
  return { logger, visibility: createSqsVisibility({ sqs: new SQSClient({ region: 'eu-west-1' }), logger }) };
};

describe('createSqsVisibility', () => {
  it('asks ten at a time, at the queue that the ARN names', async () => {
    sqs.on(ChangeMessageVisibilityBatchCommand).callsFake(takeAll);
    expect(await setUp().visibility.change(QUEUE_ARN, changes(12))).toEqual(changes(12).map(() => true));
    const calls = sqs.commandCalls(ChangeMessageVisibilityBatchCommand).map((call) => call.args[0].input);
    expect(calls.map(({ Entries }) => Entries?.length)).toEqual([10, 2]);
    expect(calls[0]).toMatchObject({
      QueueUrl: expect.stringMatching(/^https:\/\/sqs\.eu-west-1\.amazonaws\.com\/123456789012\/mqferry-/),
      Entries: expect.arrayContaining([{ Id: '0', ReceiptHandle: 'handle-0', VisibilityTimeout: 3 }]),
    });
  });

  it('answers false for what was refused, or got lost with its request', async () => {
    sqs
      .on(ChangeMessageVisibilityBatchCommand)
      .resolvesOnce({ Successful: [{ Id: '1' }], Failed: [{ Id: '0', Code: 'X', SenderFault: true }] })
      .rejectsOnce(new Error('away'));
    const { visibility, logger } = setUp();
    const answers = await visibility.change(QUEUE_ARN, changes(12));
    expect(answers).toEqual([false, true, ...changes(10).map(() => false)]);
    expect(logger.lines).toMatchObject([{ level: 'warn', fields: { records: 2 } }]);
    expect(JSON.stringify(logger.lines)).not.toContain('handle-');
  });
});
