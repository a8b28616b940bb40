import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { DOWNLOADS } from '../../local/layout.ts';

/** Somebody outside of mqferry who reads what a task has carried. */
export interface Witness {
  /** Messages that the target has: a copy of a message counts too. */
  readonly all: number;
  /** Different messages among them. */
  readonly distinct: number;
  /** Of each first copy, from the source's time until it was there, in ms. */
  readonly latenciesMs: readonly number[];
  close(): Promise<void>;
}

const SOURCE = path.resolve(import.meta.dirname, '..', 'helpers', 'java', 'StoredConsumer.java');
const READY_MS = 60_000;
const ENDS_MS = 10_000;

/** What has been seen, each copy once however often its reader was given it. */
function createTally() {
  const copies = new Set<string>();
  const messages = new Set<string>();
  const latenciesMs: number[] = [];
  return {
    latenciesMs,
    get all() {
      return copies.size;
    },
    get distinct() {
      return messages.size;
    },
    note(copy: string, message: string, latencyMs: number) {
      if (copies.has(copy)) return;
      copies.add(copy);
      if (messages.has(message)) return;
      messages.add(message);
      latenciesMs.push(latencyMs);
    },
  };
}

/**
 * RocketMQ's Java client on a topic that a task writes to, each message with its key.
 *
 * @param sinceProperty - has the source's time, in epoch ms
 */
export async function witnessOnRocketmq(options: {
  nameServer: string;
  rocketmqTopic: string;
  consumerGroup: string;
  sinceProperty: string;
}): Promise<Witness> {
  const { nameServer, rocketmqTopic, consumerGroup, sinceProperty } = options;
  const child = spawn(
    'java',
    [
      ...['-Xmx256m', '-XX:+UseSerialGC', '-Drocketmq.client.logUseSlf4j=true'],
      ...['-cp', path.join(DOWNLOADS.rocketmq, '*'), SOURCE],
      ...[nameServer, rocketmqTopic, consumerGroup, sinceProperty],
    ],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  const closed = once(child, 'close');
  const tally = createTally();
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') ready.resolve();
    const [queue = '', offset = '', key = '', storedMs, sinceMs] = line.split(' ');
    if (sinceMs === undefined) return;
    tally.note(`${queue} ${offset}`, key, Number(storedMs) - Number(sinceMs));
  });
  closed.then(() => ready.reject(new Error('the Java consumer has ended'))).catch(() => undefined);
  const timer = setTimeout(() => ready.reject(new Error('the Java consumer is not ready')), READY_MS);
  await ready.promise.finally(() => clearTimeout(timer));
  return Object.assign(tally, {
    async close() {
      child.stdin.end();
      const isEnded = await Promise.race([closed.then(() => true), delay(ENDS_MS, false, { ref: false })]);
      if (!isEnded) child.kill('SIGKILL');
    },
  });
}

/** A subscriber of what a task publishes to `<prefix>/<key>`. */
export async function witnessOnMqtt(
  { url, username, password }: { url: string; username: string; password: string },
  prefix: string,
): Promise<Witness> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, username, password, reconnectPeriod: 0 });
  const tally = createTally();
  let copies = 0;
  client.on('message', (topic, _payload, { properties }) => {
    const bornMs = properties?.userProperties?.mqferry_source_time;
    copies += 1;
    tally.note(String(copies), topic.slice(prefix.length + 1), Date.now() - Number(bornMs));
  });
  await client.subscribeAsync(`${prefix}/#`, { qos: 1 });
  return Object.assign(tally, { close: () => client.endAsync(true) });
}
