import { SendMessageBatchCommand, type SendMessageBatchCommandInput, SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createSqsOverflowQueue } from '../../../../lib/adapters/sqs/overflow-queue.ts';
import type { OverflowRecord } from '../../../../lib/ports/overflow-queue.ts';
import { createRecordingLogger } from '../../../helpers/rule-path.ts';

const FIFO = 'https://sqs.eu-west-1.amazonaws.com/123456789012/task.fifo';
const STANDARD = 'https://sqs.eu-west-1.amazonaws.com/123456789012/task';

describe('createSqsOverflowQueue', () => {
  const sqs = mockClient(SQSClient);
  const logger = createRecordingLogger();
  const queue = createSqsOverflowQueue({ sqs: new SQSClient({ region: 'eu-west-1' }), logger });
  const sent: string[][] = [];

  /** SQS that refuses some bodies. */
  function answer(refuses: (body: string) => boolean): void {
    sqs.on(SendMessageBatchCommand).callsFake(({ Entries = [] }: SendMessageBatchCommandInput) => {
      sent.push(Entries.map(({ MessageBody = '' }) => MessageBody));
      const [Failed = [], Successful = []] = [true, false].map((isRefused) =>
        Entries.filter(({ MessageBody = '' }) => refuses(MessageBody) === isRefused).map(({ Id }) => ({
          Id,
        })),
      );
      return { Failed, Successful };
    });
  }
  const records = (count: number, groupKey?: string): OverflowRecord[] =>
    Array.from({ length: count }, (_, index) => ({
      putId: `id-${index}`,
      body: `body ${index}`,
      ...(groupKey === undefined ? {} : { groupKey }),
    }));
  beforeEach(() => {
    sqs.reset();
    sent.length = 0;
    logger.lines.length = 0;
  });

  it('answers false for what SQS did not name among the successful ones', async () => {
    answer((body) => body === 'body 3');
    const answers = await queue.put(STANDARD, records(12));
    expect(answers.flatMap((isTaken, index) => (isTaken ? [] : [index]))).toEqual([3]);
    expect(sent).toHaveLength(2);
  });

  it.each([FIFO, STANDARD])('sends nothing more of a call that may not go on: %s', async (queueUrl) => {
    answer(() => false);
    const group = queueUrl === FIFO ? 'one' : undefined;
    const answers = await queue.put(queueUrl, records(100, group), () => sent.length < 2);
    expect(sent).toHaveLength(2);
    expect(answers.flatMap((isTaken, index) => (isTaken ? [index] : []))).toEqual(
      Array.from({ length: 20 }, (_, index) => index),
    );
  });

  it('answers false for a request that had no answer, and goes on with the others', async () => {
    let requests = 0;
    sqs.on(SendMessageBatchCommand).callsFake(({ Entries = [] }: SendMessageBatchCommandInput) => {
      requests += 1;
      if (requests === 1) throw new Error('no answer');
      return { Successful: Entries.map(({ Id }) => ({ Id })) };
    });
    const answers = await queue.put(STANDARD, records(15));
    expect(answers.filter(Boolean)).toHaveLength(5);
    expect(logger.lines).toHaveLength(1);
    expect(JSON.stringify(logger.lines)).not.toContain('body');
  });

  it('sends nothing more of a group behind a request in which one of it failed', async () => {
    answer((body) => body === 'body 4');
    const answers = await queue.put(FIFO, records(25, 'group'));
    expect(sent).toHaveLength(1);
    // What went in the same request SQS may have taken all the same.
    expect(answers.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, index) => index !== 4));
    expect(answers.slice(10)).toEqual(Array.from({ length: 15 }, () => false));
  });

  it('gives a FIFO queue group and deduplication id, and a standard queue neither', async () => {
    answer(() => false);
    await queue.put(FIFO, records(1, 'group'));
    await queue.put(STANDARD, records(1));
    const [fifo, standard] = sqs.commandCalls(SendMessageBatchCommand).map((call) => call.args[0].input);
    expect(fifo?.Entries?.[0]).toMatchObject({ MessageGroupId: 'group', MessageDeduplicationId: 'id-0' });
    expect(standard?.Entries?.[0]).toEqual({ Id: '0', MessageBody: 'body 0' });
  });
});
