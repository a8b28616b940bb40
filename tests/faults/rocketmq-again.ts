import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { eventually } from '../helpers/eventually.ts';
import type { Pair } from './pairs.ts';
import type { FaultStage } from './stage.ts';

const SERVES_MS = 60_000;
const ANSWER_MS = 3_000;

/**
 * Starts RocketMQ again, and resolves when it tells who asks it directly, past mqferry and the relays, where the topic of each pair
 * is. Its proxy is up before its broker is known: that registers a moment later, or 10 s later if the first time failed, and who asked
 * meanwhile made the proxy remember for 20 s that the topic is nowhere.
 */
export async function startRocketmqAgain(
  { rocketmq, ends }: Pick<FaultStage, 'rocketmq' | 'ends'>,
  pairs: readonly Pick<Pair, 'rocketmqTopic'>[],
): Promise<void> {
  await rocketmq.restart();
  const { endpoint } = ends.rocketmq;
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  try {
    await Promise.all(pairs.map(({ rocketmqTopic }) => untilRouted(producer, rocketmqTopic)));
  } finally {
    await producer.close();
  }
}

async function untilRouted(producer: RocketmqProducer, rocketmqTopic: string): Promise<void> {
  await eventually(
    () =>
      producer.check(rocketmqTopic, Date.now() + ANSWER_MS).then(
        () => '',
        (error: unknown) => String(error),
      ),
    (fault) => fault === '',
    { timeoutMs: SERVES_MS, everyMs: 100, what: `RocketMQ serves ${rocketmqTopic}` },
  );
}
