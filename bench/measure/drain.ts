import { setTimeout as delay } from 'node:timers/promises';
import { BridgeError } from '../../lib/domain/errors/errors.ts';
import type { PartProcess } from '../../local/process.ts';
import type { Measurement } from './measurement.ts';
import { processUsage } from './process-usage.ts';

const POLL_MS = 25;
/** Generous: a JVM starts in seconds, and nothing of it is measured. */
const STALL_MS = 30_000;
/** Long enough for a message too many to arrive. */
const SETTLE_MS = 1_000;

/** Fewer or more arrived than were sent. */
export class MessagesMissing extends Error {
  override readonly name = 'MessagesMissing';
}

/** A peer carried something, and nothing more from then on: there is nothing to measure. */
export class StoodStillAtOnce extends Error {
  override readonly name = 'StoodStillAtOnce';
}

/**
 * Looks from outside, in the same way at every contender, how it carries `total` messages: from the first look at which some
 * have arrived to the first at which all have. Starting up is not measured. Throws when it ends, stalls, or when more or
 * fewer arrive than were sent.
 *
 * @param options.arrived - how many are at the other end by now
 * @param options.isPeer - messages that came twice or never are told, not refused: what came twice counts as arrived, and where it
 * stands still its figures are those until then, both in its favour
 */
export async function measureDrain(options: {
  name: string;
  process: PartProcess;
  total: number;
  arrived: () => number | Promise<number>;
  isPeer?: boolean;
}): Promise<Measurement> {
  const { name, total, arrived, isPeer = false } = options;
  const { pid } = options.process;
  const ended = options.process.exited.then(() => {
    throw new Error(`${name} ended by itself: see ${options.process.logFile}`);
  });
  ended.catch(() => undefined);

  const look = async () => {
    const count = await arrived();
    // Its files are gone a moment before we are told of its end.
    const usage = await Promise.race([ended, processUsage(pid).catch(() => ended)]);
    return { count, atMs: performance.now(), usage };
  };
  /** Answers the look at which it was there, or for a peer that stands still the last one at which there was more. */
  const until = async (isThere: (count: number) => boolean) => {
    let last = await look();
    let progress = last;
    while (!isThere(last.count)) {
      await delay(POLL_MS);
      last = await look().catch((error: unknown) => {
        // A broker at its limit may not answer the one who only looks; a contender that has ended does not come back.
        if (!(error instanceof BridgeError)) throw error;
        return { ...last, atMs: performance.now() };
      });
      if (last.count > progress.count) progress = last;
      if (last.atMs - progress.atMs <= STALL_MS) continue;
      if (isPeer && last.count > 0) return progress;
      throw new MessagesMissing(`${name} stalls at ${last.count} of ${total}`);
    }
    return last;
  };

  const first = await until((count) => count > 0);
  const last = await until((count) => count >= total);
  await delay(SETTLE_MS);
  const { count, usage } = await look();
  if (count !== total && !isPeer)
    throw new MessagesMissing(`${name}: ${total} messages were sent, ${count} arrived`);
  const messages = last.count - first.count;
  if (messages <= 0 && count < total)
    throw new StoodStillAtOnce(`${name} stood still at ${count} of ${total} for ${STALL_MS / 1_000} s`);
  if (messages <= 0) throw new Error(`${name} was done before the second look: send more messages`);
  return {
    messages,
    perSecond: messages / ((last.atMs - first.atMs) / 1_000),
    cpuMicrosPerMessage: (last.usage.cpuMicros - first.usage.cpuMicros) / messages,
    peakMegabytes: usage.peakMegabytes,
    ...(count > total ? { repeated: count - total } : {}),
    ...(count < total ? { missing: total - count } : {}),
  };
}
