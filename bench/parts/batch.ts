import type { SQSEvent } from 'aws-lambda';
import {
  createMemoryMessageProducer,
  createMemoryProducerPool,
} from '../../lib/adapters/memory/message-producer.ts';
import { createMemorySecretReader } from '../../lib/adapters/memory/secret-reader.ts';
import { createProducerPool } from '../../lib/adapters/rocketmq/producer-pool.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';
import { benchEvent } from '../load/queue-records.ts';
import { describeMeasurement, type Measurement, measure, median } from '../measure/measurement.ts';
import type { Row } from '../measure/row.ts';
import { createBatchingPath } from '../ours/batching-path.ts';
import { startSingleSends } from '../peer/single-sends.ts';
import { withStage } from '../stage/stage.ts';
import type { BenchOptions } from './options.ts';

const BATCH_SIZE = 500;
const BATCHES = 100;
const SINGLES = 10_000;
const BAR = 8;
const TOPIC = 'bench';

/**
 * The batching path (500 records per invocation, one at a time) beside single sends of the official client, the same
 * messages into the same RocketMQ, in turns.
 */
export async function benchBatch({ rounds }: BenchOptions): Promise<Row[]> {
  return await withStage('batch', async (stage) => {
    await stage.ensureTopic({ topic: TOPIC, queues: 8 });
    const seen = await compare(stage.rocketmq.endpoint, rounds);
    const bar = { bound: 'at least', value: BAR } as const;
    return [{ what: 'batching path, rate', bar, seen, unit: '× single sends' }];
  });
}

async function compare(endpoint: string, rounds: number): Promise<number> {
  const producers = createProducerPool({ secrets: createMemorySecretReader(), clock: systemClock });
  const forward = createBatchingPath({ endpoint, rocketmqTopic: TOPIC, producers });
  const singleSends = await startSingleSends(endpoint);
  const event = benchEvent(BATCH_SIZE);
  const messages = await mappedMessages(event);

  const batching = async (batches: number) => {
    for (let batch = 0; batch < batches; batch += 1) {
      const unacknowledged = await forward(event);
      if (unacknowledged > 0) throw new Error(`${unacknowledged} records were not acknowledged`);
    }
    return batches * BATCH_SIZE;
  };
  const singles = async (count: number) => {
    await singleSends.send(
      Array.from({ length: count }, (_, index) => messages[index % messages.length]).flatMap(given),
    );
    return count;
  };

  await batching(BATCHES / 5);
  await singles(SINGLES / 5);
  const measured: { batching: Measurement[]; singles: Measurement[] } = { batching: [], singles: [] };
  for (let round = 1; round <= rounds; round += 1) {
    measured.batching.push(await measure(() => batching(BATCHES)));
    measured.singles.push(await measure(() => singles(SINGLES)));
    for (const [name, runs] of Object.entries(measured)) {
      const latest = runs.at(-1);
      if (latest !== undefined) console.log(describeMeasurement(`round ${round}, ${name}`, latest));
    }
  }
  await producers.close();
  await singleSends.close();
  return (
    median(measured.batching.map(({ perSecond }) => perSecond)) /
    median(measured.singles.map(({ perSecond }) => perSecond))
  );
}

/** The messages that the batching path makes of the records. */
async function mappedMessages(event: SQSEvent): Promise<readonly RocketmqMessage[]> {
  const recorder = createMemoryMessageProducer({ topics: { [TOPIC]: 'NORMAL' }, clock: systemClock });
  const producers = createMemoryProducerPool(recorder);
  await createBatchingPath({ endpoint: '127.0.0.1:1', rocketmqTopic: TOPIC, producers })(event);
  return recorder.stored(TOPIC);
}

function given<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}
