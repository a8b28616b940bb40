import { SendMessageBatchCommand, type SendMessageBatchCommandInput, SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createSqsDeadLetterQueue } from '../../../../lib/adapters/sqs/dead-letter-queue.ts';
import type { DeadLetterHandOver } from '../../../../lib/ports/dead-letter-hand-over.ts';
import { createRecordingLogger } from '../../../helpers/rule-path.ts';

const sqs = mockClient(SQSClient);
beforeEach(() => {
  sqs.reset();
});

const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/hand-over';
const entry = (index: number, envelope = ''): DeadLetterHandOver => ({
  taskId: 'task',
  version: 1,
  code: 'C',
  reason: '',
  recordId: `r${index}`,
  envelope,
  attempts: 1,
  firstSeenAtMs: 0,
  failedAtMs: 0,
});
const entries = (count: number, envelope?: string) =>
  Array.from({ length: count }, (_, index) => entry(index, envelope));

function setUp() {
  const logger = createRecordingLogger();
  const client = new SQSClient({ region: 'eu-west-1' });
  return { logger, queue: createSqsDeadLetterQueue({ sqs: client, queueUrl: QUEUE_URL, logger }) };
}

const inputs = (): SendMessageBatchCommandInput[] =>
  sqs.commandCalls(SendMessageBatchCommand).map((call) => call.args[0].input);
const acceptAll = (input: SendMessageBatchCommandInput) => ({
  Successful: (input.Entries ?? []).map(({ Id }) => ({ Id, MessageId: 'm', MD5OfMessageBody: '' })),
  Failed: [],
});

describe('createSqsDeadLetterQueue', () => {
  it('fills requests up to ten entries', async () => {
    sqs.on(SendMessageBatchCommand).callsFake(acceptAll);
    expect(await setUp().queue.send(entries(23))).toEqual(entries(23).map(() => true));
    expect(inputs().map(({ Entries }) => Entries?.length)).toEqual([10, 10, 3]);
    expect(inputs()[0]?.QueueUrl).toBe(QUEUE_URL);
  });

  it('fills requests up to 1 MiB, counted in bytes', async () => {
    sqs.on(SendMessageBatchCommand).callsFake(acceptAll);
    await setUp().queue.send(entries(7, 'ü'.repeat(150_000)));
    expect(inputs().map(({ Entries }) => Entries?.length)).toEqual([3, 3, 1]);
    for (const { Entries = [] } of inputs()) {
      const bytes = Entries.reduce(
        (total, { MessageBody = '' }) => total + Buffer.byteLength(MessageBody),
        0,
      );
      expect(bytes).toBeLessThanOrEqual(1_048_576);
    }
  });

  it('sends an entry that is too large alone, so that only it is refused', async () => {
    sqs.on(SendMessageBatchCommand).callsFake((input: SendMessageBatchCommandInput) => {
      if ((input.Entries?.[0]?.MessageBody?.length ?? 0) > 1_048_576) throw new Error('BatchRequestTooLong');
      return acceptAll(input);
    });
    const answers = await setUp().queue.send([entry(0), entry(1, 'x'.repeat(1_100_000)), entry(2)]);
    expect(answers).toEqual([true, false, true]);
  });

  it('takes only what is named among the successful ones for accepted', async () => {
    sqs.on(SendMessageBatchCommand).resolves({
      Successful: [
        { Id: '2', MessageId: 'm', MD5OfMessageBody: '' },
        { Id: '77', MessageId: 'm', MD5OfMessageBody: '' },
        { Id: undefined, MessageId: 'm', MD5OfMessageBody: '' },
      ],
      Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }],
    });
    const { queue, logger } = setUp();
    expect(await queue.send(entries(3))).toEqual([false, false, true]);
    expect(logger.lines).toMatchObject([{ level: 'warn', fields: { code: 'InternalError' } }]);
  });

  it('accepts nothing of a request that failed or answered nothing, and all of the others', async () => {
    sqs
      .on(SendMessageBatchCommand)
      .rejectsOnce(new Error('away'))
      .resolvesOnce({} as never)
      .callsFake(acceptAll);
    const answers = await setUp().queue.send(entries(30));
    expect(answers.filter(Boolean)).toHaveLength(10);
  });
});
