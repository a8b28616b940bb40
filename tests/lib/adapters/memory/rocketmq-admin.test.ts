import { createMemoryRocketmqAdmin } from '../../../../lib/adapters/memory/rocketmq-admin.ts';
import { describeRocketmqAdmin } from '../../../contract/rocketmq-admin.ts';

describeRocketmqAdmin('memory', async () => {
  const admin = createMemoryRocketmqAdmin();
  let nowMs = Date.UTC(2026, 0, 1);
  return {
    admin,
    async publish(rocketmqTopic, count) {
      const beforeMs = nowMs;
      const times = Array.from({ length: count }, () => {
        nowMs += 1;
        return nowMs;
      });
      admin.store(rocketmqTopic, times);
      nowMs += 1;
      return { beforeMs, afterMs: nowMs };
    },
    read: async (rocketmqTopic, consumerGroup, max) => admin.read(rocketmqTopic, consumerGroup, max),
    close: async () => {},
  };
});
