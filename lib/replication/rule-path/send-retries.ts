import type { BridgeError } from '../../domain/errors/errors.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { RetryVerdict } from '../retry-watch.ts';
import type { BatchLedger } from './batch-ledger.ts';
import type { BatchRetries } from './batch-retries.ts';
import type { Unhelpable } from './hand-over.ts';
import type { Outgoing } from './send-topic.ts';

const CONCURRENT_READS = 16;

/** A message that was not stored, and may be. */
export interface Retry {
  outgoing: Outgoing;
  error: BridgeError;
}

/**
 * What becomes of messages that failed for now: most are tried again in this batch. One whose failure was its own is given
 * back for the wait of its policy, and with it what stands behind it in its group; one whose tries are used up is a dead letter.
 */
export async function judgeRetries(
  rocketmqTopic: string,
  failed: readonly Retry[],
  {
    retries,
    ledger,
    sent,
    stored,
  }: {
    retries?: BatchRetries;
    ledger: BatchLedger;
    /** Messages of the send, and how many of them were stored. */
    sent: number;
    stored: number;
  },
): Promise<{ retries: Retry[]; givenUp: Unhelpable[] }> {
  if (stored > 0) retries?.taken(rocketmqTopic);
  const leaders = leadersOf(failed);
  if (retries === undefined || leaders.size === 0) return { retries: [...failed], givenUp: [] };
  const verdicts = new Map<Retry, RetryVerdict>();
  await forEachInFlight([...leaders.values()], CONCURRENT_READS, async (retry) => {
    verdicts.set(retry, await retries.judge(retry.outgoing, retry.error, sent === 1));
  });
  const again: Retry[] = [];
  const givenUp: Unhelpable[] = [];
  for (const retry of failed) {
    const { record } = retry.outgoing;
    const leader = leaders.get(groupOf(retry));
    const verdict = leader === undefined ? undefined : verdicts.get(leader);
    if (verdict?.kind === 'again') {
      // What is behind it in its group waits with it, and is no failure of its own.
      const code = retry === leader ? retry.error.code : 'GROUP_STOPPED';
      ledger.note(record, code, verdict.waitMs, true);
    } else if (verdict?.kind === 'give-up' && retry === leader) {
      givenUp.push({ record, error: verdict.error, targetTopic: rocketmqTopic });
    } else again.push(retry);
  }
  return { retries: again, givenUp };
}

/** The first failed one of each group: what is behind it was not sent. A message without a group is one by itself. */
function leadersOf(failed: readonly Retry[]): Map<unknown, Retry> {
  const leaders = new Map<unknown, Retry>();
  for (const retry of failed) {
    const group = groupOf(retry);
    if (!leaders.has(group)) leaders.set(group, retry);
  }
  return leaders;
}

function groupOf({ outgoing }: Retry): unknown {
  return outgoing.message.messageGroup ?? outgoing.record;
}
