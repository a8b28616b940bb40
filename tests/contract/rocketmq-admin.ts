import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROCKETMQ_MESSAGE_TYPES } from '../../lib/domain/clusters/cluster.ts';
import type { RocketmqAdmin } from '../../lib/ports/rocketmq-admin.ts';
import { eventually } from '../helpers/eventually.ts';

export interface RocketmqAdminHarness {
  admin: RocketmqAdmin;
  /** Stores messages, one after the other. Answers the times just before the first and just after the last. */
  publish(rocketmqTopic: string, count: number): Promise<{ beforeMs: number; afterMs: number }>;
  /** Reads and acknowledges with a group. Answers how many of `max` came. */
  read(rocketmqTopic: string, consumerGroup: string, max: number): Promise<number>;
  close(): Promise<void>;
}

/** What every adapter of `RocketmqAdmin` keeps. */
export function describeRocketmqAdmin(name: string, create: () => Promise<RocketmqAdminHarness>): void {
  describe(`RocketmqAdmin: ${name}`, () => {
    let harness: RocketmqAdminHarness;
    let admin: RocketmqAdmin;
    beforeAll(async () => {
      harness = await create();
      admin = harness.admin;
    }, 180_000);
    afterAll(() => harness?.close(), 30_000);

    const newName = (prefix: string) => `${prefix}_${randomUUID()}`;
    const newTopic = async () => {
      const { topic } = await admin.createTopic({ topic: newName('topic'), type: 'NORMAL', queues: 2 });
      return topic;
    };
    const newGroup = async () => {
      const consumerGroup = newName('group');
      await admin.ensureGroup({ consumerGroup, isOrderly: false, retryMaxTimes: 1_000 });
      return consumerGroup;
    };
    /** Brokers count what was acknowledged a little later. */
    const untilUnread = (rocketmqTopic: string, consumerGroup: string, messages: number) =>
      eventually(
        () => admin.lag({ rocketmqTopic, consumerGroup }),
        (lag) => lag.messages === messages,
        { timeoutMs: 15_000, what: `${messages} unread messages` },
      );

    describe('topics', () => {
      it.each(ROCKETMQ_MESSAGE_TYPES)('creates one of type %s and tells it', async (type) => {
        const spec = { topic: newName('topic'), type, queues: 3 };
        expect(await admin.createTopic(spec)).toEqual(spec);
        expect(await admin.getTopic(spec.topic)).toEqual(spec);
        expect(await admin.listTopics()).toContainEqual(spec);
      });

      it('creates one twice without harm, and leaves its queues as they are', async () => {
        const spec = { topic: newName('topic'), type: 'FIFO', queues: 3 } as const;
        await admin.createTopic(spec);
        expect(await admin.createTopic({ ...spec, queues: 1 })).toEqual(spec);
        expect(await admin.getTopic(spec.topic)).toEqual(spec);
      });

      it('does not change the type of one that is there', async () => {
        const spec = { topic: newName('topic'), type: 'FIFO', queues: 1 } as const;
        await admin.createTopic(spec);
        const refused = admin.createTopic({ ...spec, type: 'NORMAL' });
        await expect(refused).rejects.toMatchObject({
          code: 'TOPIC_EXISTS',
          reaction: 'hold',
          scope: 'topic',
        });
        expect(await admin.getTopic(spec.topic)).toEqual(spec);
      });

      it('knows none that nobody made', async () => {
        expect(await admin.getTopic(newName('topic'))).toBeUndefined();
      });

      it('lists those of users only', async () => {
        const [topic, consumerGroup] = [await newTopic(), await newGroup()];
        await harness.publish(topic, 1);
        expect(await harness.read(topic, consumerGroup, 1)).toBe(1);
        const listed = (await admin.listTopics()).map((one) => one.topic);
        const systems =
          /^(%|rmq_sys|RMQ_SYS|TBW102|SCHEDULE_TOPIC|DefaultCluster|broker-|BenchmarkTest|OFFSET_MOVED|SELF_TEST|CHECKPOINT|TRANS_CHECK)/;
        expect(listed).toContain(topic);
        expect(listed.filter((one) => systems.test(one))).toEqual([]);
      });
    });

    describe('groups', () => {
      it('are made, changed and deleted as often as one likes', async () => {
        const consumerGroup = await newGroup();
        await admin.ensureGroup({ consumerGroup, isOrderly: true, retryMaxTimes: 16 });
        await admin.deleteGroup(consumerGroup);
        await admin.deleteGroup(consumerGroup);
      });
    });

    describe('position', () => {
      it('of a new group is where it is put: at the end', async () => {
        const [topic, consumerGroup] = [await newTopic(), await newGroup()];
        await harness.publish(topic, 3);
        await admin.resetPosition({ rocketmqTopic: topic, consumerGroup, position: 'latest' });
        await untilUnread(topic, consumerGroup, 0);
        await harness.publish(topic, 2);
        expect(await harness.read(topic, consumerGroup, 2)).toBe(2);
        // Had any but the last two come, these would be left.
        await untilUnread(topic, consumerGroup, 0);
      });

      it('of a group that has read all goes back to the beginning', async () => {
        const [topic, consumerGroup] = [await newTopic(), await newGroup()];
        await harness.publish(topic, 3);
        expect(await harness.read(topic, consumerGroup, 3)).toBe(3);
        await untilUnread(topic, consumerGroup, 0);
        await admin.resetPosition({ rocketmqTopic: topic, consumerGroup, position: 'earliest' });
        await untilUnread(topic, consumerGroup, 3);
        expect(await harness.read(topic, consumerGroup, 3)).toBe(3);
      });

      it('goes to a time: what was stored before it is not read', async () => {
        const [topic, consumerGroup] = [await newTopic(), await newGroup()];
        const { afterMs } = await harness.publish(topic, 3);
        await harness.publish(topic, 2);
        const position = { timestampMs: afterMs };
        await admin.resetPosition({ rocketmqTopic: topic, consumerGroup, position });
        await untilUnread(topic, consumerGroup, 2);
        expect(await harness.read(topic, consumerGroup, 2)).toBe(2);
        // Had any but the last two come, these would be left.
        await untilUnread(topic, consumerGroup, 0);
      });

      it('after the last message is the end, before the first the beginning', async () => {
        const [topic, consumerGroup] = [await newTopic(), await newGroup()];
        const { beforeMs, afterMs } = await harness.publish(topic, 3);
        const move = (timestampMs: number) =>
          admin.resetPosition({ rocketmqTopic: topic, consumerGroup, position: { timestampMs } });
        await move(afterMs + 60_000);
        await untilUnread(topic, consumerGroup, 0);
        await move(beforeMs - 60_000);
        await untilUnread(topic, consumerGroup, 3);
      });

      it('is refused for a topic or a group that is not there', async () => {
        const [rocketmqTopic, consumerGroup] = [await newTopic(), await newGroup()];
        const noTopic = { rocketmqTopic: newName('topic'), consumerGroup, position: 'latest' } as const;
        await expect(admin.resetPosition(noTopic)).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' });
        const noGroup = { rocketmqTopic, consumerGroup: newName('group'), position: 'latest' } as const;
        await expect(admin.resetPosition(noGroup)).rejects.toMatchObject({ code: 'GROUP_NOT_FOUND' });
      });
    });

    describe('lag', () => {
      it('counts what a group has not read, and tells since when the oldest waits', async () => {
        const [topic, consumerGroup] = [await newTopic(), await newGroup()];
        const { beforeMs, afterMs } = await harness.publish(topic, 4);
        const { oldestStoredAtMs } = await untilUnread(topic, consumerGroup, 4);
        expect(oldestStoredAtMs).toBeGreaterThanOrEqual(beforeMs);
        expect(oldestStoredAtMs).toBeLessThanOrEqual(afterMs);
        expect(await harness.read(topic, consumerGroup, 4)).toBe(4);
        const { messages, read, ...rest } = await untilUnread(topic, consumerGroup, 0);
        expect([messages, rest]).toEqual([0, {}]);
        expect(read.position).toBe(4);
        expect(read.queues).toBeGreaterThan(0);
      });

      it('does not move the group that it looks at', async () => {
        const [topic, consumerGroup] = [await newTopic(), await newGroup()];
        await harness.publish(topic, 4);
        await admin.resetPosition({ rocketmqTopic: topic, consumerGroup, position: 'latest' });
        await untilUnread(topic, consumerGroup, 0);
        await harness.publish(topic, 2);
        await untilUnread(topic, consumerGroup, 2);
        expect(await harness.read(topic, consumerGroup, 2)).toBe(2);
        // Had any but the last two come, these would be left.
        await untilUnread(topic, consumerGroup, 0);
      });

      it('is refused for a topic that is not there', async () => {
        const of = { rocketmqTopic: newName('topic'), consumerGroup: await newGroup() };
        await expect(admin.lag(of)).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' });
      });
    });
  });
}
