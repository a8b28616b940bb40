import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
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
  /** Of each first copy, from the source's time until its reader knew that it is there, in ms. */
  readonly latenciesMs: readonly number[];
  /** Why it sees nothing any more. */
  readonly fault: string | undefined;
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
  let fault: string | undefined;
  return {
    latenciesMs,
    get fault() {
      return fault;
    },
    fail(reason: string) {
      fault ??= reason;
    },
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
    { stdio: ['pipe', 'pipe', 'inherit'] },
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
  closed
    .catch(() => undefined)
    .then(() => {
      tally.fail('the Java consumer has ended');
      ready.reject(new Error('the Java consumer has ended'));
    });
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
  (client.stream as Partial<Socket>).setNoDelay?.(true);
  const tally = createTally();
  let copies = 0;
  client.on('error', ({ message }) => tally.fail(message));
  client.on('close', () => tally.fail('the broker has closed the connection of the subscriber'));
  client.on('message', (topic, _payload, { properties }) => {
    const bornMs = properties?.userProperties?.mqferry_source_time;
    copies += 1;
    tally.note(String(copies), topic.slice(prefix.length + 1), Date.now() - Number(bornMs));
  });
  await client.subscribeAsync(`${prefix}/#`, { qos: 1 });
  return Object.assign(tally, { close: () => client.endAsync(true) });
}
