import { afterAll } from '@jest/globals';
import { createSqsVisibility } from '../../../lib/adapters/sqs/visibility.ts';
import { describeVisibility } from '../../contract/visibility.ts';
import { createTestQueues } from '../../helpers/aws-emulator.ts';
import { createRecordingLogger } from '../../helpers/rule-path.ts';

const queues = createTestQueues();
afterAll(() => queues.dropAll());

describeVisibility('SQS', async () => {
  const { url, arn } = await queues.create(undefined, { VisibilityTimeout: '180' });
  return {
    visibility: createSqsVisibility({ sqs: queues.sqs, logger: createRecordingLogger() }),
    queueArn: arn,
    async receive(count) {
      await queues.send(
        url,
        Array.from({ length: count }, (_, index) => `message ${index}`),
      );
      return (await queues.receiveAll(url, count)).map(({ receiptHandle }) => receiptHandle);
    },
    wrongHandle: 'not-a-receipt-handle',
    countVisible: () => queues.countVisible(url),
  };
});
