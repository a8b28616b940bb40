import { afterAll } from '@jest/globals';
import { createSqsDeadLetterQueue } from '../../../lib/adapters/sqs/dead-letter-queue.ts';
import { decodeHandOver } from '../../../lib/domain/dead-letters/dead-letter.ts';
import { describeDeadLetterQueue } from '../../contract/dead-letter-queue.ts';
import { createTestQueues } from '../../helpers/aws-emulator.ts';
import { createRecordingLogger } from '../../helpers/rule-path.ts';

const queues = createTestQueues();
afterAll(() => queues.dropAll());

describeDeadLetterQueue('SQS', async () => {
  const { url } = await queues.create();
  return {
    queue: createSqsDeadLetterQueue({ sqs: queues.sqs, queueUrl: url, logger: createRecordingLogger() }),
    async received(count) {
      const messages = await queues.receiveAll(url, count);
      return messages.flatMap(({ body }) => decodeHandOver(JSON.parse(body)) ?? []);
    },
  };
});
