import { createMemoryVisibility } from '../../../../lib/adapters/memory/visibility.ts';
import { describeVisibility } from '../../../contract/visibility.ts';

describeVisibility('memory', async () => {
  const inHand = new Set<string>();
  const visibility = createMemoryVisibility(({ receiptHandle }) => inHand.has(receiptHandle));
  return {
    visibility,
    queueArn: 'arn:aws:sqs:eu-west-1:123456789012:queue',
    async receive(count) {
      const handles = Array.from({ length: count }, (_, index) => `handle-${index}`);
      for (const handle of handles) inHand.add(handle);
      return handles;
    },
    wrongHandle: 'wrong',
    countVisible: async () =>
      visibility.changes.filter(({ visibilityTimeoutSeconds }) => visibilityTimeoutSeconds === 0).length,
  };
});
