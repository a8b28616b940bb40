import { handOverTwice, loseAcknowledgements } from '../faults/catalog/repeated.ts';
import type { FaultStage } from '../faults/stage.ts';
import type { Rows } from '../trials/rows.ts';
import type { ExactPath } from './paths.ts';
import { rawLatencies } from './samples.ts';
import { listedDeadLetters, settledMetrics, tellExact, tellLatencies, tellRepeated } from './totals.ts';

/** Does something, and shows what it tells. */
export type Part = (name: string, work: (rows: Rows) => Promise<void>) => Promise<void>;

/** Half of the messages as they come; of the other half those are given twice for which no dead letter is planted. */
export async function compareTotals(
  stage: FaultStage,
  paths: readonly ExactPath[],
  { messages, part }: { messages: number; part: Part },
): Promise<void> {
  const half = Math.floor(messages / 2);
  await part('planted failures', async (rows) => {
    await Promise.all(paths.map(({ source }) => source.publish(half)));
    for (const one of paths) {
      const metrics = await settledMetrics(stage.api, one);
      tellExact(rows, one, metrics, await listedDeadLetters(stage.api, one.taskId, one.source.faulty));
      tellLatencies(rows, one, metrics, await rawLatencies(one));
    }
  });
  await part('and redeliveries', async (rows) => {
    const stop = new AbortController();
    const twice = giveTwice(stage, paths, rows).finally(() => stop.abort());
    await Promise.all([twice, ...paths.map((one) => publishUntil(one, messages, stop.signal))]);
    for (const one of paths) {
      const metrics = await settledMetrics(stage.api, one);
      tellRepeated(rows, one, metrics, await listedDeadLetters(stage.api, one.taskId, one.source.faulty));
    }
  });
}

const PORTION = 200;

/** Sound ones while something is given twice, however many that takes; then the rest. */
async function publishUntil({ source }: ExactPath, messages: number, done: AbortSignal): Promise<void> {
  while (!done.aborted) await source.publish(PORTION, 'sound');
  await source.publish(Math.max(0, messages - source.accepted));
}

async function giveTwice(stage: FaultStage, paths: readonly ExactPath[], rows: Rows): Promise<void> {
  for (const side of ['clients', 'broker'] as const) await loseAcknowledgements(stage, side);
  for (const one of paths) {
    if (one.path !== 'rule') continue;
    const batches = await handOverTwice(stage, one);
    rows.expect('rule: batches handed over twice', '> 0', batches, batches > 0);
  }
}
