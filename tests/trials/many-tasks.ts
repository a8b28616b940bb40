import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { ShiftKind } from '../../lib/ports/shifts.ts';
import { RECEIVED_MS } from '../../lib/replication/pull-path/held-messages.ts';
import { ensureTopic } from '../../local/rocketmq-topics.ts';
import { eventually } from '../helpers/eventually.ts';
import { followMessages } from '../helpers/rocketmq-consumer.ts';
import { createRows, type Row, type Rows, spread } from './rows.ts';
import type { Stage } from './stage.ts';
import { startShiftProcess, type Worker } from './workers.ts';

/** Of each kind. */
const TASKS = 100;
const WARM_UP_MS = 10_000;
const LOAD_MS = 20_000;
/** Each task gets a message so often. */
const EVERY_MS = 500;
const STARTED_MS = 120_000;
const HANDED_OVER_MS = 120_000;
const ALL_THERE_MS = 60_000;
const SIDE_BY_SIDE = 20;

interface Traffic {
  kind: ShiftKind;
  taskId: string;
  send(text: string): Promise<unknown>;
}

/** What has come of each task: its number of messages, and how long each was on its way. */
type Seen = Map<string, number[]>;

/** Two hundred tasks in one `npm run shift`: how much memory, how fast, what a dead target does to the others, a hand-over of all. */
export async function manyTasksTrial(stage: Stage): Promise<Row[]> {
  const table = createRows(`${2 * TASKS} tasks`);
  const closing: (() => Promise<unknown>)[] = [];
  const run = randomUUID().slice(0, 8);
  try {
    const traffic = await openTraffic(stage, run, closing);
    const seen: Seen = new Map();
    await openReaders(stage, run, seen, closing);

    const beganMs = Date.now();
    const first = await startShiftProcess(stage.environment());
    closing.push(() => first.kill());
    await allRunning(stage, traffic);
    table.tell('all running after the start', `${Date.now() - beganMs} ms`);
    await delay(5_000);
    await tellUsage(table, 'idle', first, 5_000);

    // Brokers and processes have to warm up: what is measured is how it goes on.
    await sendFor(WARM_UP_MS, traffic);
    await delay(5_000);
    await load(table, 'equal load', traffic, seen, first);
    closing.push(await addDeadTargets(stage));
    await delay(5_000);
    await load(table, 'beside dead targets', traffic, seen, first);
    await handOver(stage, table, traffic, seen, closing);
  } finally {
    for (const close of closing.reverse()) await close();
  }
  return table.rows;
}

async function openTraffic(
  stage: Stage,
  run: string,
  closing: (() => Promise<unknown>)[],
): Promise<Traffic[]> {
  const { endpoint, nameServer } = stage.rocketmq.rocketmq;
  const { url, username, password } = stage.mqtt;
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, username, password, reconnectPeriod: 0 });
  client.on('error', () => undefined);
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  closing.push(
    () => client.endAsync(true),
    () => producer.close(),
  );
  await ensureTopic({ nameServer }, { topic: run });
  const numbers = Array.from({ length: TASKS }, (_, number) => number);
  const sessions = await inPortions(numbers, async (number): Promise<Traffic> => {
    const taskId = await stage.addTask('session', {
      source: { clusterId: 'factory', topicFilters: [`in/${run}/${number}`] },
      target: { clusterId: 'business', topic: run, tag: `session${number}` },
      options: { via: 'session' },
    });
    return {
      kind: 'session',
      taskId,
      send: (text) => client.publishAsync(`in/${run}/${number}`, text, { qos: 1 }),
    };
  });
  const pulls = await inPortions(numbers, async (number): Promise<Traffic> => {
    const rocketmqTopic = `${run}_${number}`;
    await ensureTopic({ nameServer }, { topic: rocketmqTopic, queues: 2 });
    const taskId = await stage.addTask('pull', {
      source: { clusterId: 'business', topic: rocketmqTopic, startFrom: 'earliest' },
      target: { clusterId: 'factory', topic: `out/${run}/pull${number}` },
    });
    const messageOf = (text: string) => ({
      rocketmqTopic,
      body: Buffer.from(text),
      keys: [],
      properties: new Map(),
    });
    return {
      kind: 'pull',
      taskId,
      send: (text) => producer.send(rocketmqTopic, [messageOf(text)], { deadlineMs: Date.now() + 10_000 }),
    };
  });
  return [...sessions, ...pulls];
}

async function openReaders(
  stage: Stage,
  run: string,
  seen: Seen,
  closing: (() => Promise<unknown>)[],
): Promise<void> {
  const note = (name: string, text: string) => {
    const waits = seen.get(name) ?? [];
    waits.push(Date.now() - Number(text));
    seen.set(name, waits);
  };
  const { url, username, password } = stage.mqtt;
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, username, password, reconnectPeriod: 0 });
  client.on('error', () => undefined);
  client.on('message', (topic, payload) => note(topic.split('/')[2] ?? '', payload.toString()));
  await client.subscribeAsync(`out/${run}/#`, { qos: 1 });
  const follower = await followMessages(
    {
      endpoint: stage.rocketmq.rocketmq.endpoint,
      rocketmqTopic: run,
      consumerGroup: await stage.readerGroup(false),
    },
    ({ tag = '', body }) => note(tag, body.toString()),
  );
  closing.push(
    () => client.endAsync(true),
    () => follower.close(),
  );
}

/** Every task gets the same; answers what each has carried. */
async function load(
  table: Rows,
  name: string,
  traffic: readonly Traffic[],
  seen: Seen,
  worker: Worker,
): Promise<void> {
  seen.clear();
  const before = await worker.usage();
  const beganMs = Date.now();
  const rounds = await sendFor(LOAD_MS, traffic);
  const spentMs = Date.now() - beganMs;
  await allArrived(traffic, seen, rounds);
  const after = await worker.usage();
  const counts = [...seen.values()].map((waits) => waits.length);
  const slowest = seen.size < traffic.length ? 0 : Math.min(...counts);
  const perSecond = (count: number) => `${((count * 1_000) / spentMs).toFixed(2)}/s`;
  table.expect(`${name}: slowest task`, perSecond(rounds), perSecond(slowest), slowest >= rounds);
  for (const kind of ['session', 'pull'] as const) {
    const waits = [...seen].filter(([task]) => task.startsWith(kind)).map(([, all]) => all);
    table.tell(`${name}: on their way, ${kind}`, spread(waits.flat()));
    table.tell(`${name}: p50 of the slowest ${kind} task`, `${Math.max(...waits.map(middle))} ms`);
  }
  const cpu = ((after.cpuMs - before.cpuMs) / (Date.now() - beganMs)) * 100;
  table.tell(`${name}: process`, `${Math.round(after.residentMb)} MiB, ${Math.round(cpu)} % of a CPU`);
}

async function handOver(
  stage: Stage,
  table: Rows,
  traffic: readonly Traffic[],
  seen: Seen,
  closing: (() => Promise<unknown>)[],
): Promise<void> {
  seen.clear();
  let isOver = false;
  const sending = (async () => {
    let rounds = 0;
    while (!isOver) rounds += await sendFor(EVERY_MS, traffic);
    return rounds;
  })();
  const second = await startShiftProcess(stage.environment({ CODE_VERSION: 'next' }));
  closing.push(() => second.kill());
  const isItsOwn = async ({ taskId }: Traffic) =>
    (await stage.leases.list(taskId))[0]?.owner?.includes(`-${second.pid}-`) === true;
  const countMoved = async () => (await inPortions(traffic, isItsOwn)).filter(Boolean).length;
  const options = { timeoutMs: HANDED_OVER_MS, everyMs: 20, what: 'lanes move to the new process' };
  await eventually(countMoved, (moved) => moved > 0, options);
  const beganMs = Date.now();
  await eventually(countMoved, (moved) => moved === traffic.length, options);
  table.tell('hand-over of all, under load', `${Date.now() - beganMs} ms`);
  await delay(15_000);
  const left = traffic.length - (await countMoved());
  table.expect('hand-over: lanes that went back', '0', left, left === 0);
  isOver = true;
  const rounds = await sending;
  await allArrived(traffic, seen, rounds);
  const lacking =
    traffic.length * rounds -
    [...seen.values()].reduce((sum, waits) => sum + Math.min(rounds, waits.length), 0);
  table.expect('hand-over: lost', '0', lacking, lacking === 0);
  for (const kind of ['session', 'pull'] as const) {
    const ofKind = [...seen].filter(([task]) => task.startsWith(kind)).map(([, waits]) => waits);
    table.tell(
      `hand-over: longest wait of each ${kind} task`,
      spread(ofKind.map((waits) => Math.max(...waits))),
    );
    const late = ofKind.flat().filter((ms) => ms > RECEIVED_MS / 2).length;
    table.tell(`hand-over: ${kind} messages that came again`, `${late} of ${ofKind.flat().length}`);
  }
  await tellUsage(table, 'the new process', second, 2_000);
}

/** Two pull tasks with a backlog: one target refuses connections, the other takes them and never says a word. */
async function addDeadTargets(stage: Stage): Promise<() => Promise<void>> {
  const silent = createServer((socket) => socket.on('error', () => undefined));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const { nameServer, endpoint } = stage.rocketmq.rocketmq;
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  for (const [clusterId, url] of [
    ['refusing', 'mqtt://127.0.0.1:1'],
    ['silent', `mqtt://127.0.0.1:${port}`],
  ] as const) {
    const rocketmqTopic = `${clusterId}_${randomUUID()}`;
    await ensureTopic({ nameServer }, { topic: rocketmqTopic });
    const messages = Array.from({ length: 500 }, () => ({
      rocketmqTopic,
      body: Buffer.from('x'),
      keys: [],
      properties: new Map<string, string>(),
    }));
    await producer.send(rocketmqTopic, messages, { deadlineMs: Date.now() + 10_000 });
    await stage.putMqttCluster(clusterId, url, {});
    await stage.addTask('pull', {
      source: { clusterId: 'business', topic: rocketmqTopic, startFrom: 'earliest' },
      target: { clusterId, topic: 'out/nowhere' },
    });
  }
  await producer.close();
  return async () => {
    silent.close();
  };
}

/** One message to each task in each round, spread over its time; answers the number of rounds. */
async function sendFor(ms: number, traffic: readonly Traffic[]): Promise<number> {
  const rounds = Math.round(ms / EVERY_MS);
  for (let round = 0; round < rounds; round += 1) {
    const beganMs = Date.now();
    await inPortions(traffic, ({ send }) => send(String(Date.now())), 10);
    await delay(Math.max(0, EVERY_MS - (Date.now() - beganMs)));
  }
  return rounds;
}

async function allArrived(traffic: readonly Traffic[], seen: Seen, rounds: number): Promise<void> {
  const isThere = () =>
    seen.size === traffic.length && [...seen.values()].every(({ length }) => length >= rounds);
  await eventually(async () => isThere(), Boolean, {
    timeoutMs: ALL_THERE_MS,
    everyMs: 50,
    what: 'all',
  }).catch(() => undefined);
}

async function allRunning(stage: Stage, traffic: readonly Traffic[]): Promise<void> {
  let waiting = [...traffic];
  await eventually(
    async () => {
      const tasks = await inPortions(waiting, ({ taskId }) => stage.tasks.get(taskId));
      waiting = waiting.filter((_, index) => tasks[index]?.status !== 'running');
      return waiting.length;
    },
    (left) => left === 0,
    { timeoutMs: STARTED_MS, everyMs: 100, what: 'all tasks run' },
  );
}

async function tellUsage(table: Rows, name: string, worker: Worker, ms: number): Promise<void> {
  const before = await worker.usage();
  await delay(ms);
  const after = await worker.usage();
  const cpu = Math.round(((after.cpuMs - before.cpuMs) / ms) * 100);
  table.tell(`${name}: process`, `${Math.round(after.residentMb)} MiB, ${cpu} % of a CPU`);
}

function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

async function inPortions<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  sideBySide = SIDE_BY_SIDE,
): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += sideBySide) {
    results.push(...(await Promise.all(items.slice(at, at + sideBySide).map(work))));
  }
  return results;
}
