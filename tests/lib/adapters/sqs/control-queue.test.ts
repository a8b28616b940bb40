import type { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it, jest } from '@jest/globals';
import { createSqsControlQueue } from '../../../../lib/adapters/sqs/control-queue.ts';
import { decodeWake } from '../../../../lib/domain/wake-message.ts';

const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/123456789012/control.fifo';

describe('createSqsControlQueue', () => {
  it('sends one message per wake into the group of the task, never a duplicate to SQS', async () => {
    const send = jest.fn(
      async (_command: SendMessageCommand, _options: { abortSignal: AbortSignal }) => ({}),
    );
    const queue = createSqsControlQueue({ sqs: { send } as never, queueUrl });
    await queue.wake('01A');
    await queue.wake('01A');
    const inputs = send.mock.calls.map(([{ input }]) => input);
    for (const input of inputs) {
      expect(input).toMatchObject({ QueueUrl: queueUrl, MessageGroupId: '01A' });
      expect(decodeWake(String(input.MessageBody))).toBe('01A');
    }
    expect(new Set(inputs.map(({ MessageDeduplicationId }) => MessageDeduplicationId)).size).toBe(2);
    expect(send.mock.calls[0]?.[1].abortSignal).toBeInstanceOf(AbortSignal);
  });

  it('throws what SQS says: the caller decides', async () => {
    const send = jest.fn(async () => Promise.reject(new Error('away')));
    await expect(createSqsControlQueue({ sqs: { send } as never, queueUrl }).wake('01A')).rejects.toThrow(
      'away',
    );
  });
});
