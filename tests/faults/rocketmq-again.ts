import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { eventually } from '../helpers/eventually.ts';
import type { FaultContext } from './fault.ts';

const SERVES_MS = 60_000;
const ANSWER_MS = 3_000;

/**
 * Starts RocketMQ again. It is back for a pair when it tells who asks it directly, past mqferry and the relays, where the pair's topic is:
 * its proxy is up before its broker has registered, and remembers for 20 s that a topic was nowhere when somebody asked meanwhile.
 */
export async function startRocketmqAgain({ stage, pairs, isBack, miss }: FaultContext): Promise<void> {
  await stage.rocketmq.restart();
  const { endpoint } = stage.ends.rocketmq;
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  try {
    await Promise.all(
      pairs.map(async ({ name, rocketmqTopic }) => {
        const fault = await untilRouted(producer, rocketmqTopic);
        if (fault === undefined) isBack(name);
        else miss(name, fault);
      }),
    );
  } finally {
    await producer.close();
  }
}

/** Undefined, or why it is not. */
async function untilRouted(producer: RocketmqProducer, rocketmqTopic: string): Promise<string | undefined> {
  const ask = () =>
    producer.check(rocketmqTopic, Date.now() + ANSWER_MS).then(
      () => '',
      (error: unknown) => String(error),
    );
  const limits = { timeoutMs: SERVES_MS, everyMs: 100, what: `RocketMQ serves ${rocketmqTopic}` };
  return eventually(ask, (fault) => fault === '', limits).then(
    () => undefined,
    (error: unknown) => String(error),
  );
}
