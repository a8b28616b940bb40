import { MAX_BATCH_BYTES } from '../../domain/messages/rocketmq-limits.ts';

/** Encoded bytes of one request. The margin is for what a broker may add by itself. */
export const MAX_REQUEST_BYTES = MAX_BATCH_BYTES - 64 * 1024;

/** More in one request costs latency and gains nothing measurable. */
export const MAX_BATCH_MESSAGES = 128;

/**
 * Cuts items into runs of at most 128 and at most `MAX_REQUEST_BYTES`, order kept, numbers about equal. An item
 * that is larger alone makes a run of its own: as a single message other limits count.
 */
export function splitIntoBatches<T>(items: readonly T[], bytesOf: (item: T) => number): T[][] {
  const wanted = Math.ceil(items.length / Math.ceil(items.length / MAX_BATCH_MESSAGES));
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (batch.length > 0 && (batch.length >= wanted || bytes + size > MAX_REQUEST_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/**
 * What became of one request.
 * - `accepted`, `failed`: as a whole; a failure that says nothing about single messages.
 * - `refused`: because of one of its messages, not known which; `oversized`: because of their size together.
 * - `unsupported`: the cluster says that it takes single messages only.
 */
export type Attempt = 'accepted' | 'failed' | 'refused' | 'oversized' | 'unsupported';

/**
 * Sends a batch. A refused one is halved until the bad messages are alone: at most 2n − 1 requests for n messages.
 *
 * @returns true when it turned out that the cluster takes no batches: it said so, or it refused every batch of
 * messages that it took one by one.
 */
export async function sendHalving<T>(
  batch: readonly T[],
  attempt: (batch: readonly T[]) => Promise<Attempt>,
): Promise<boolean> {
  const pending: (readonly T[])[] = [batch];
  const batches: Attempt[] = [];
  const singles: Attempt[] = [];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const outcome = await attempt(next);
    (next.length > 1 ? batches : singles).push(outcome);
    if (next.length > 1) pending.push(...parts(next, outcome).toReversed());
  }
  const refused = batches.length > 0 && batches.every((outcome) => outcome === 'refused');
  return batches.includes('unsupported') || (refused && singles.every((outcome) => outcome === 'accepted'));
}

/** What is to be sent again, and in which parts. */
function parts<T>(batch: readonly T[], outcome: Attempt): (readonly T[])[] {
  if (outcome === 'accepted' || outcome === 'failed') return [];
  if (outcome === 'unsupported') return batch.map((item) => [item]);
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}
