import type { Task } from '../../domain/tasks/task.ts';
import type { LastStored } from '../last-stored.ts';
import type { BatchHealth } from './batch-health.ts';
import { createBatchHealth } from './batch-health.ts';
import type { BatchLedger } from './batch-ledger.ts';
import type { RetriesOfBatch } from './batch-retries.ts';
import { type DeviceRecord, decideRecord, type RecordText } from './decide-record.ts';
import type { ForwardBatchPorts } from './forward-batch-ports.ts';
import { isOrdered, sendInOrder } from './forward-in-order.ts';
import { readTexts } from './forward-texts.ts';
import { groupByTopic } from './group-by-topic.ts';
import { createHandOver, type Unhelpable } from './hand-over.ts';
import { meetCanaries } from './meet-canaries.ts';
import { DEBOUNCED, observeDevices } from './observe-devices.ts';
import { type PreparedBatch, type PrepareOptions, prepareBatch } from './prepare-batch.ts';
import { recordError } from './record-error.ts';
import { type Doubted, type Outgoing, type SendTopicOptions, sendTopic } from './send-topic.ts';
import { oldestAgeMs, type SourceRecord } from './source-record.ts';

/** A record received so often from a task whose target is well is sent by itself, so that it cannot hurt others. */
const SUSPECT_RECEIVES = 10;
/** No suspect is begun with less than this left of the function's time. */
const SUSPECT_RESERVE_MS = 10_000;

export interface TaskBatch {
  taskId: string;
  records: readonly SourceRecord[];
  ledger: BatchLedger;
  deadlineMs: number;
}

type Ports = Omit<ForwardBatchPorts, 'visibility' | 'overflowGroups' | 'figures' | 'retryTallies' | 'lanes'> &
  Pick<PrepareOptions, 'compileTask'> & { lastStored: LastStored; retriesOf?: RetriesOfBatch };

/** Works on the records of one task, and books in the ledger what is proven of each. */
export async function forwardTaskBatch(batch: TaskBatch, ports: Ports): Promise<void> {
  const prepared = await prepareBatch(batch.taskId, ports);
  if (prepared.ok) return forward(batch, prepared.batch, ports);
  const { error, task } = prepared;
  for (const record of batch.records) batch.ledger.note(record, error.code);
  if (task === undefined || error.reaction !== 'hold') return;
  const health = healthOf(task, ports);
  health.failing('', error);
  await health.settled();
}

async function forward(batch: TaskBatch, prepared: PreparedBatch, ports: Ports): Promise<void> {
  const { ledger, deadlineMs } = batch;
  const { task, compiled, cluster } = prepared;
  ledger.counts.perTask = task.definition.options.metrics === 'task';
  const { clock, logger, producers, random = Math.random } = ports;
  const health = healthOf(task, ports);
  const handOver = createHandOver({ ...ports, ledger, task, deadlineMs });
  const { canaries } = ports;
  const { rest: records, done } =
    canaries === undefined
      ? { rest: batch.records, done: Promise.resolve() }
      : await meetCanaries(batch.records, prepared, {
          canaries,
          producer: () => producers.producerFor(cluster),
          ledger,
          clock,
          logger,
        });
  const texts = await readTexts(records, ports);
  const { outgoing, unhelpables, devices } = decide({ ...batch, records }, prepared, clock.now(), texts);
  const offline = await observeDevices(devices, { ...ports, task, ledger, deadlineMs });
  if (devices.length > 0) tellAge(batch, offline.outgoing, clock.now());
  outgoing.push(...offline.outgoing);
  unhelpables.push(...offline.unhelpables);
  handOver.begin(unhelpables);

  const doubted: Doubted[] = [];
  const options: SendTopicOptions = {
    producer: () => producers.producerFor(cluster),
    ledger,
    handOver,
    health,
    ...(compiled.hasFixedTopic ? {} : { doubtTopic: (one) => doubted.push(one) }),
    ...(ports.retriesOf === undefined ? {} : { retries: ports.retriesOf(task) }),
    deadlineMs,
    clock,
    logger,
    random,
  };
  if (isOrdered(records)) await sendInOrder(records, outgoing, unhelpables, options);
  else await sendByTopic(inOrderOfArrival(outgoing), options);
  if (ledger.counts.replicated > 0) ports.lastStored.note(cluster.clusterId, clock.now());
  const isProven = ({ record, dueAtMs = record.firstReceiveTimeMs }: Doubted) =>
    ledger.counts.replicated > 0 || ports.lastStored.isAfter(cluster.clusterId, dueAtMs);
  settleDoubted(doubted, isProven, options);
  await Promise.all([handOver.done(), done]);
  await health.settled();
}

/** What its own debounce hides is no backlog until it is due, however old it is by then. */
function tellAge({ records, ledger }: TaskBatch, offline: readonly Outgoing[], nowMs: number): void {
  const dueAtMs = new Map(offline.map((one) => [one.record, one.dueAtMs]));
  const waiting = records
    .filter((record) => ledger.noted(record) !== DEBOUNCED)
    .map((record) => ({ sentTimeMs: dueAtMs.get(record) ?? record.sentTimeMs }));
  ledger.counts.oldestAgeMs = oldestAgeMs(waiting, nowMs);
}

/** A queue without an order hands a batch over in any: within a message group what came first goes first, as far as it is there. */
function inOrderOfArrival(outgoing: readonly Outgoing[]): Outgoing[] {
  const arrivedAtMs = ({ sourceTimeMs, record }: Outgoing) => sourceTimeMs ?? record.sentTimeMs;
  return outgoing.toSorted((one, other) => arrivedAtMs(one) - arrivedAtMs(other));
}

/** All topics side by side, then what may hurt others by itself. */
async function sendByTopic(outgoing: readonly Outgoing[], options: SendTopicOptions): Promise<void> {
  const { health } = options;
  const isSuspect = ({ record }: Outgoing) => health.isHealthy() && record.receiveCount >= SUSPECT_RECEIVES;
  const { suspects = [], others = [] } = Object.groupBy(outgoing, (one) =>
    isSuspect(one) ? 'suspects' : 'others',
  );
  await Promise.all([...groupByTopic(others)].map(([topic, own]) => sendTopic(topic, own, options)));
  await sendSuspects(suspects, options);
}

/**
 * A rendered topic that the cluster does not have, or does not let us write to, is the message's own fault: a dead letter,
 * so that it holds up nobody. But a cluster that has just lost its brokers says the same of every topic, and no outage may
 * make a dead letter: so only where the cluster has taken other messages since this one was first received. Until then it
 * is held.
 */
function settleDoubted(
  doubted: readonly Doubted[],
  isProven: (one: Doubted) => boolean,
  { handOver, health }: SendTopicOptions,
): void {
  const { proven = [], held = [] } = Object.groupBy(doubted, (one) => (isProven(one) ? 'proven' : 'held'));
  handOver.begin(proven);
  const [first] = held;
  if (first !== undefined) health.failing('', first.error);
}

/** Decides all records, books the skipped ones, and answers the others. What is said of devices waits for what is known of them. */
function decide(
  { records, ledger }: TaskBatch,
  { task, compiled }: PreparedBatch,
  receiptTimeMs: number,
  texts: ReadonlyMap<SourceRecord, RecordText>,
): { outgoing: Outgoing[]; unhelpables: Unhelpable[]; devices: DeviceRecord[] } {
  const outgoing: Outgoing[] = [];
  const unhelpables: Unhelpable[] = [];
  const devices: DeviceRecord[] = [];
  for (const record of records) {
    const decision = decideRecord(record, task, compiled, receiptTimeMs, texts.get(record));
    if (decision.kind === 'send') outgoing.push(decision.outgoing);
    else if (decision.kind === 'device') devices.push(decision.told);
    else if (decision.kind === 'skip') ledger.skipped(record, decision.reason);
    else if (decision.kind === 'dead-letter') unhelpables.push({ record, error: decision.error });
    else {
      const { error } = decision;
      const more = { taskId: task.taskId, atMs: receiptTimeMs, outcome: 'retried' } as const;
      ledger.note(record, error.code);
      ledger.failed(error.code, 'retried', () => recordError(record, error, more));
    }
  }
  return { outgoing, unhelpables, devices };
}

/**
 * One after the other, one attempt each, as long as the target is well. Where others of this batch have arrived, the
 * failure of a suspect is its own, and says nothing about the target.
 */
async function sendSuspects(suspects: readonly Outgoing[], options: SendTopicOptions): Promise<void> {
  const { health, ledger, clock, deadlineMs } = options;
  for (const suspect of suspects) {
    if (!health.isHealthy() || clock.now() > deadlineMs - SUSPECT_RESERVE_MS) return;
    const alone = { ...options, maxAttempts: 1, ...(ledger.counts.replicated > 0 ? { health: SILENT } : {}) };
    await sendTopic(suspect.message.rocketmqTopic, [suspect], alone);
  }
}

const SILENT: BatchHealth = {
  failing: () => undefined,
  working: () => undefined,
  isHealthy: () => true,
  settled: async () => undefined,
};

function healthOf(task: Task, { tasks, clock, logger }: Ports): BatchHealth {
  return createBatchHealth({ task, tasks, clock, logger });
}
