import { QueueDoesNotExist } from '@aws-sdk/client-sqs';
import { describe, expect, it } from '@jest/globals';
import { createSqsQueueCounter } from '../../../../lib/adapters/sqs/queue-counter.ts';

const counterOf = (send: () => Promise<unknown>) => createSqsQueueCounter({ sqs: { send } as never });
const url = 'https://sqs.eu-west-1.amazonaws.com/123456789012/queue';

describe('createSqsQueueCounter', () => {
  it('adds what is delayed to what waits, and tells what is in hand', async () => {
    const counter = counterOf(async () => ({
      Attributes: {
        ApproximateNumberOfMessages: '5',
        ApproximateNumberOfMessagesDelayed: '2',
        ApproximateNumberOfMessagesNotVisible: '3',
      },
    }));
    expect(await counter.backlog(url)).toEqual({ waiting: 7, inFlight: 3 });
  });

  it('takes absent counts as none', async () => {
    expect(await counterOf(async () => ({})).backlog(url)).toEqual({ waiting: 0, inFlight: 0 });
  });

  it('answers undefined for a queue that is gone, and throws everything else', async () => {
    const gone = new QueueDoesNotExist({ $metadata: {}, message: 'gone' });
    expect(await counterOf(() => Promise.reject(gone)).backlog(url)).toBeUndefined();
    await expect(counterOf(() => Promise.reject(new Error('denied'))).backlog(url)).rejects.toThrow('denied');
  });
});
