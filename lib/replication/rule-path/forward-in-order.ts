import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { OverflowGroups } from '../../ports/overflow-groups.ts';
import { withTimeout } from '../with-timeout.ts';
import type { BatchLedger } from './batch-ledger.ts';
import type { Unhelpable } from './hand-over.ts';
import { type Outgoing, type SendTopicOptions, sendTopic } from './send-topic.ts';
import type { SourceRecord } from './source-record.ts';

/** Of the function's time, what must be left for giving back. */
const RESERVE_MS = 2_000;
const MARK_MS = 3_000;

/** Code of a record that comes again because an earlier one of its group does. */
const GROUP_STOPPED = 'GROUP_STOPPED';
/** Code of a record that comes again because nobody could be told that its group is drained. */
const MARK_NOT_WRITTEN = 'MARK_NOT_WRITTEN';

/** Whether the records come from a FIFO queue. */
export function isOrdered(records: readonly SourceRecord[]): boolean {
  return records[0]?.groupKey !== undefined;
}

/**
 * Sends what a FIFO queue has given out: groups side by side, each in its order, and after a record that is not settled the
 * rest of its group is not tried.
 */
export async function sendInOrder(
  records: readonly SourceRecord[],
  outgoing: readonly Outgoing[],
  unhelpables: readonly Unhelpable[],
  options: SendTopicOptions,
): Promise<void> {
  const ready = new Map(outgoing.map((one) => [one.record, one]));
  // On their way to the dead letters: nobody waits for them, and `closeInOrder` looks whether they got there.
  const leaving = new Set(unhelpables.map(({ record }) => record));
  const { ledger, handOver } = options;
  const isOut = (record: SourceRecord) => ledger.isSettled(record) || leaving.has(record);

  async function sendGroup(group: readonly SourceRecord[]): Promise<void> {
    let at = 0;
    while (at < group.length) {
      const run = runFrom(group, at, ready, isOut);
      const [first] = run.outgoing;
      if (first !== undefined) {
        await sendTopic(first.message.rocketmqTopic, run.outgoing, options);
        await handOver.done();
      }
      at = run.end;
      if (!group.slice(0, at).every(isOut) || first === undefined) break;
    }
    for (const record of group.slice(at)) {
      // What could not even be decided has said why.
      if (!isOut(record) && ready.has(record)) ledger.note(record, GROUP_STOPPED);
    }
  }

  await Promise.all([...Map.groupBy(records, ({ groupKey }) => groupKey).values()].map(sendGroup));
}

/** The next messages of a group that go to one topic, and where they end. What is out already is passed over. */
function runFrom(
  group: readonly SourceRecord[],
  from: number,
  ready: ReadonlyMap<SourceRecord, Outgoing>,
  isOut: (record: SourceRecord) => boolean,
): { outgoing: Outgoing[]; end: number } {
  const outgoing: Outgoing[] = [];
  let end = from;
  for (const record of group.slice(from)) {
    const one = isOut(record) ? undefined : ready.get(record);
    if (one === undefined && !isOut(record)) break;
    const [first] = outgoing;
    if (one !== undefined && first !== undefined && !sharesTopic(one, first)) break;
    if (one !== undefined) outgoing.push(one);
    end += 1;
  }
  return { outgoing, end };
}

function sharesTopic(one: Outgoing, other: Outgoing): boolean {
  return one.message.rocketmqTopic === other.message.rocketmqTopic;
}

/**
 * Looks at each group of a FIFO queue's batch as a whole. Behind a record that comes again everything comes again. Where all
 * are settled, the lane is told before the queue is: from then on it may send the group directly. Never rejects.
 */
export async function closeInOrder(
  taskId: string,
  records: readonly SourceRecord[],
  options: {
    ledger: BatchLedger;
    overflowGroups: Pick<OverflowGroups, 'settled'>;
    clock: Clock;
    logger: Logger;
    deadlineMs: number;
  },
): Promise<void> {
  if (!isOrdered(records)) return;
  const { ledger, overflowGroups, clock, logger, deadlineMs } = options;

  async function tell(groupKey: string, last: SourceRecord): Promise<void> {
    if (last.putId === undefined) return;
    try {
      const telling = overflowGroups.settled(taskId, groupKey, last.putId).then(() => true);
      const ms = Math.min(MARK_MS, deadlineMs - RESERVE_MS - clock.now());
      if ((await withTimeout(telling, ms)) === true) return;
    } catch (error) {
      logger.warn('overflow mark not written', { taskId, recordId: last.recordId, error });
    }
    // Sent again, it is told again: a group that nobody told of would go through the queue for ever.
    ledger.reopen(last, MARK_NOT_WRITTEN);
  }

  async function closeGroup([groupKey, group]: [string | undefined, SourceRecord[]]): Promise<void> {
    const firstOpen = group.findIndex((record) => !ledger.isSettled(record));
    const last = group.at(-1);
    if (firstOpen >= 0) for (const record of group.slice(firstOpen)) ledger.reopen(record, GROUP_STOPPED);
    else if (last !== undefined && groupKey !== undefined) await tell(groupKey, last);
  }

  await Promise.all([...Map.groupBy(records, ({ groupKey }) => groupKey)].map(closeGroup));
}
