import { createMemoryDeadLetterQueue } from '../../../../lib/adapters/memory/dead-letter-queue.ts';
import { describeDeadLetterQueue } from '../../../contract/dead-letter-queue.ts';

describeDeadLetterQueue('memory', async () => {
  const queue = createMemoryDeadLetterQueue();
  return { queue, received: async () => [...queue.entries] };
});
