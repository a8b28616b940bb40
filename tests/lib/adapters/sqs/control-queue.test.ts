import type { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from '@jest/globals';
import { createSqsControlQueue } from '../../../../lib/adapters/sqs/control-queue.ts';

describe('createSqsControlQueue', () => {
  it('sends each wake as a message of its own, in the group of its task', async () => {
    const sent: SendMessageCommand['input'][] = [];
    const send = async (command: SendMessageCommand, options: { abortSignal: AbortSignal }) => {
      expect(options.abortSignal).toBeInstanceOf(AbortSignal);
      sent.push(command.input);
      return {};
    };
    const queue = createSqsControlQueue({ sqs: { send } as unknown as SQSClient, queueUrl: 'https://q' });
    await queue.wake('task');
    await queue.wake('task');
    expect(sent).toMatchObject([
      { QueueUrl: 'https://q', MessageGroupId: 'task', MessageBody: '{"taskId":"task"}' },
      { QueueUrl: 'https://q', MessageGroupId: 'task', MessageBody: '{"taskId":"task"}' },
    ]);
    await queue.watchShifts();
    expect(sent[2]).toMatchObject({ MessageGroupId: 'shifts', MessageBody: '{"watch":"shifts"}' });
    expect(sent[0]?.MessageDeduplicationId).not.toBe(sent[1]?.MessageDeduplicationId);
  });
});
