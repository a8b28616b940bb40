import type { BenchOptions } from '../parts/options.ts';
import { StoodStillAtOnce } from './drain.ts';
import { describeMeasurement, type Measurement, median } from './measurement.ts';
import type { Row } from './row.ts';

/** What both contenders did in the same round. */
export interface Round {
  ours: Measurement;
  camel: Measurement;
}

/** One run of a contender. @param run - unique: names topics */
export type Contender = (run: string, messages: number) => Promise<Measurement>;

/** RocketMQ's own code is slow at first. Who has his turn then has timeouts, and sends again. */
const WARM_UP_MESSAGES = 50_000;
const MAX_ATTEMPTS = 3;

/** Runs both in turns, Camel first, after a run of each that does not count, ours first. Figures are printed as they come. */
export async function runRounds(
  { rounds, messages }: BenchOptions,
  { ours, camel }: { ours: Contender; camel: Contender },
): Promise<Round[]> {
  const warmUp = Math.min(messages, WARM_UP_MESSAGES);
  await ours('ours-warm-up', warmUp);
  await camel('camel-warm-up', warmUp);
  const done: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const theirs = await again(camel, `camel-${round}`, messages);
    console.log(describeMeasurement(`round ${round}, Apache Camel`, theirs));
    const own = await ours(`ours-${round}`, messages);
    console.log(describeMeasurement(`round ${round}, mqferry`, own));
    done.push({ ours: own, camel: theirs });
  }
  return done;
}

/** Who stands still before anything can be measured begins anew, in its favour, and it is told. */
async function again(contender: Contender, run: string, messages: number): Promise<Measurement> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await contender(attempt === 1 ? run : `${run}-${attempt}`, messages);
    } catch (error) {
      if (!(error instanceof StoodStillAtOnce) || attempt === MAX_ATTEMPTS) throw error;
      console.log(`${error.message}: begun anew`);
    }
  }
}

/** Bars are of ratios ours / Camel in the same round, and of these the median. */
export function ratioRows(
  path: string,
  rounds: readonly Round[],
  bars: { rate: number; cpu: number },
): Row[] {
  const rate = ({ perSecond }: Measurement) => perSecond;
  const cpu = ({ cpuMicrosPerMessage }: Measurement) => cpuMicrosPerMessage;
  const memory = ({ peakMegabytes = Number.NaN }: Measurement) => peakMegabytes;
  const row = (
    what: string,
    of: (measurement: Measurement) => number,
    unit: string,
    bar: NonNullable<Row['bar']>,
  ): Row => {
    const middle = (who: keyof Round) => median(rounds.map((round) => of(round[who])));
    const show = (value: number) =>
      `${value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1)} ${unit}`;
    return {
      what: `${path}, ${what}`,
      bar,
      seen: median(rounds.map(({ ours, camel }) => of(ours) / of(camel))),
      unit: '× Camel',
      note: `${show(middle('ours'))} beside ${show(middle('camel'))}`,
    };
  };
  return [
    row('rate', rate, 'msg/s', { bound: 'at least', value: bars.rate }),
    row('CPU per message', cpu, 'µs', { bound: 'at most', value: bars.cpu }),
    row('resident memory', memory, 'MiB', { bound: 'at most', value: 0.5 }),
  ];
}
