import { describeMeasurement, type Measurement, median } from '../measure/measurement.ts';
import type { Row } from '../measure/row.ts';
import { withStage } from '../stage/stage.ts';
import type { BenchOptions } from './options.ts';
import { pullByLane } from './pull.ts';

const BAR = 2_000;
/** Enough for some ten seconds: filling a FIFO topic takes as long as emptying it. */
const MAX_MESSAGES = 30_000;
const GROUPS = 256;

/** A FIFO topic of 8 queues to MQTT, in order; without a peer, since Camel's consumer keeps no order. */
export async function benchFifo({ messages, rounds }: BenchOptions): Promise<Row[]> {
  return await withStage('fifo', async (stage) => {
    const broker = await stage.startMqtt('mosquitto');
    const done: Measurement[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const measured = await pullByLane(stage, {
        broker,
        topic: `fifo-${round}`,
        messages: Math.min(messages, MAX_MESSAGES),
        groups: GROUPS,
      });
      console.log(describeMeasurement(`round ${round}, mqferry, FIFO`, measured));
      done.push(measured);
    }
    const seen = median(done.map(({ perSecond }) => perSecond));
    const bar = { bound: 'at least', value: BAR } as const;
    return [{ what: 'pull path, FIFO over 8 queues', bar, seen, unit: 'msg/s' }];
  });
}
