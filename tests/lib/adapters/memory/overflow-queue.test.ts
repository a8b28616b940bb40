import { describe, expect, it } from '@jest/globals';
import { createMemoryOverflowQueue } from '../../../../lib/adapters/memory/overflow-queue.ts';
import { describeOverflowQueue } from '../../../contract/overflow-queue.ts';

describeOverflowQueue('memory', async () => {
  const queue = createMemoryOverflowQueue();
  return {
    queue,
    standardUrl: 'https://sqs.example/task',
    fifoUrl: 'https://sqs.example/task.fifo',
    received: async (queueUrl) => [...queue.records(queueUrl)],
  };
});

describe('createMemoryOverflowQueue', () => {
  it('takes nothing of a group behind a record that it refused', async () => {
    const queue = createMemoryOverflowQueue();
    queue.decide(({ body }) => body !== 'b');
    const records = ['a', 'b', 'c', 'd'].map((body, index) => ({
      putId: `id-${index}`,
      body,
      groupKey: body === 'd' ? 'other' : 'group',
    }));
    expect(await queue.put('task.fifo', records)).toEqual([true, false, false, true]);
    expect(queue.records('task.fifo').map(({ body }) => body)).toEqual(['a', 'd']);
  });
});
