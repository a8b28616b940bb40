import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { RocketmqCredentials } from '../../../lib/adapters/rocketmq/metadata.ts';
import type { RocketmqMessage } from '../../../lib/domain/messages/message.ts';
import { LOCAL_DIR } from '../../../local/layout.ts';
import { type RocketmqOptions, startRocketmq } from '../../../local/parts/rocketmq.ts';
import { ensureGroup, ensureTopic } from '../../../local/rocketmq-topics.ts';
import { eventually } from '../../helpers/eventually.ts';
import { readMessages } from '../../helpers/rocketmq-consumer.ts';
import { type RocketmqUnderTest, sharedRocketmq, sharesRocketmq } from './shared-rocketmq.ts';

/** A RocketMQ with what tests ask of it. */
export interface TestRocketmq {
  rocketmq: RocketmqUnderTest;
  /** A new topic, empty. */
  createTopic(type: 'NORMAL' | 'FIFO' | 'DELAY'): Promise<string>;
  /** A consumer group of this name, not orderly. */
  ensureGroup(consumerGroup: string): Promise<void>;
  /** Reads everything in a topic of `createTopic` until `count` messages have come, or, with `enough`, nothing more comes. */
  readBack(rocketmqTopic: string, count: number, enough?: number): Promise<RocketmqMessage[]>;
  stop(): Promise<void>;
}

/** One of its own where there are options, else, in the integration tests, the one of all files. */
export async function startTestRocketmq(
  options: Omit<RocketmqOptions, 'home'> = {},
  credentials?: RocketmqCredentials,
): Promise<TestRocketmq> {
  const home = path.join(LOCAL_DIR, 'test', `rocketmq-${randomUUID()}`);
  const isShared = sharesRocketmq() && Object.keys(options).length === 0;
  const rocketmq = isShared ? await sharedRocketmq(home) : await startRocketmq({ ...options, home });
  const admin = { nameServer: rocketmq.nameServer, ...(credentials && { credentials }) };
  // On a busy machine the broker's first registration with the name server may come late.
  await eventually(
    () =>
      ensureTopic(admin, { topic: 'ready' }).then(
        () => true,
        (error: unknown) => `${error}`,
      ),
    (answer) => answer === true,
    { timeoutMs: 60_000, what: 'the broker is registered' },
  );
  return {
    rocketmq,
    async createTopic(type) {
      const topic = `test_${type}_${randomUUID()}`;
      await ensureTopic(admin, { topic, type });
      await ensureGroup(admin, { group: `group_${topic}`, orderly: type === 'FIFO' });
      return topic;
    },
    ensureGroup: (consumerGroup) => ensureGroup(admin, { group: consumerGroup }),
    readBack: (rocketmqTopic, count, enough = count) =>
      readMessages({
        endpoint: rocketmq.endpoint,
        rocketmqTopic,
        consumerGroup: `group_${rocketmqTopic}`,
        count,
        enough,
        ...(credentials && { credentials }),
      }),
    async stop() {
      await rocketmq.stop();
      if (!isShared) await rm(home, { recursive: true, force: true });
    },
  };
}
