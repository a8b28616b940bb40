import { randomUUID } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { createSqsOverflowQueue } from '../../../lib/adapters/sqs/overflow-queue.ts';
import { describeOverflowQueue } from '../../contract/overflow-queue.ts';
import { createTestQueues } from '../../helpers/aws-emulator.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';

const queues = createTestQueues();
afterAll(() => queues.dropAll());

describeOverflowQueue('SQS', async () => {
  const standard = await queues.create();
  const fifo = await queues.create(`test-${randomUUID()}.fifo`, { FifoQueue: 'true' });
  return {
    queue: createSqsOverflowQueue({ sqs: queues.sqs, logger: silentLogger }),
    standardUrl: standard.url,
    fifoUrl: fifo.url,
    missingUrl: `${standard.url}-missing`,
    async received(queueUrl, count) {
      const messages = await queues.receiveInOrder(queueUrl, count);
      return messages.map(({ body, attributes }) => ({
        putId: attributes.MessageDeduplicationId ?? '',
        body,
        ...(attributes.MessageGroupId === undefined ? {} : { groupKey: attributes.MessageGroupId }),
      }));
    },
  };
});
