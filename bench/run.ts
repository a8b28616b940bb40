/**
 * `npm run bench`: the batching path (500 records per invocation, one at a time) beside single sends of the official
 * client, the same messages into the same RocketMQ, in turns. Fails below the bar.
 */

import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { SQSEvent } from 'aws-lambda';
import {
  createMemoryMessageProducer,
  createMemoryProducerPool,
} from '../lib/adapters/memory/message-producer.ts';
import { createMemorySecretReader } from '../lib/adapters/memory/secret-reader.ts';
import { createProducerPool } from '../lib/adapters/rocketmq/producer-pool.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import type { RocketmqMessage } from '../lib/domain/message.ts';
import { LOCAL_DIR } from '../local/layout.ts';
import { startRocketmq } from '../local/parts/rocketmq.ts';
import { ensureTopic } from '../local/rocketmq-topics.ts';
import { createBatchingPath } from './batching-path.ts';
import { describeMeasurement, type Measurement, measure, median } from './measure.ts';
import { benchEvent } from './messages.ts';
import { startSingleSends } from './single-sends.ts';

const ROUNDS = 3;
const BATCH_SIZE = 500;
const BATCHES = 100;
const SINGLES = 10_000;
const BAR = 8;
const TOPIC = 'bench';

const home = path.join(LOCAL_DIR, 'bench', 'rocketmq');
const rocketmq = await startRocketmq({ home });
try {
  await ensureTopic({ nameServer: rocketmq.nameServer }, { topic: TOPIC, queues: 8 });
  const ratio = await compare(rocketmq.endpoint);
  console.log(`batching path / single sends: ${ratio.toFixed(1)} × (at least ${BAR} ×)`);
  if (ratio < BAR) process.exitCode = 1;
} finally {
  await rocketmq.stop();
  await rm(home, { recursive: true, force: true });
}

async function compare(endpoint: string): Promise<number> {
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
  for (let round = 1; round <= ROUNDS; round += 1) {
    measured.batching.push(await measure(() => batching(BATCHES)));
    measured.singles.push(await measure(() => singles(SINGLES)));
    for (const [name, runs] of Object.entries(measured)) {
      const latest = runs.at(-1);
      if (latest !== undefined) console.log(describeMeasurement(`round ${round}, ${name}`, latest));
    }
  }
  await producers.close();
  await singleSends.close();
  const medians = { batching: median(measured.batching), singles: median(measured.singles) };
  console.log(describeMeasurement(`median, ${BATCH_SIZE}-record batches, handler`, medians.batching));
  console.log(describeMeasurement('median, single sends of the official client', medians.singles));
  return medians.batching.perSecond / medians.singles.perSecond;
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
