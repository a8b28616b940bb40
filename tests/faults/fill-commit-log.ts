import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { FaultStage } from './stage.ts';

const BODY = Buffer.alloc(1_024 * 1_024);
/** More than the file in use and the two that the broker makes in advance. */
const MOST = 64;
const SEND_MS = 20_000;

/** Writes to a topic of its own until RocketMQ takes no more: its commit log gets no new file, and what it had made in advance is full. */
export async function fillCommitLog(stage: Pick<FaultStage, 'ends' | 'createTopic'>): Promise<void> {
  const rocketmqTopic = await stage.createTopic('NORMAL');
  const { endpoint } = stage.ends.rocketmq;
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  const filler = { rocketmqTopic, body: BODY, keys: [], properties: new Map<string, string>() };
  try {
    for (let sent = 0; sent < MOST; sent += 1) {
      const deadlineMs = Date.now() + SEND_MS;
      const [result] = await producer.send(rocketmqTopic, [filler], { deadlineMs });
      if (result?.status === 'failed') return;
    }
    throw new Error(`RocketMQ took ${MOST} MiB, though its files may not become larger`);
  } finally {
    await producer.close();
  }
}
