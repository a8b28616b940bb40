import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  createWitness,
  differences,
  disordered,
  type NumberedMessage,
  numberedMessages,
} from '../helpers/numbered-messages.ts';
import { followMessages } from '../helpers/rocketmq-consumer.ts';
import type { Rows } from './rows.ts';
import type { Stage } from './stage.ts';

const BURST_MS = 50;
/** HiveMQ ends the connection of who has more than these unacknowledged. */
const IN_FLIGHT = 10;
const SEND_MS = 20_000;

/** What has come, and when. */
export interface Arrivals {
  witness: ReturnType<typeof createWitness>;
  /** Of first arrivals, in order. */
  times: number[];
  /** Epoch ms of the last arrival, duplicates too. */
  lastAtMs(): number;
  /** Resolves when so many different ones have come. */
  all(count: number, timeoutMs: number): Promise<void>;
  /** The longest time without an arrival, in ms, between two points of time. */
  longestGap(fromMs: number, toMs: number): number;
  close(): Promise<void>;
}

/** @param close - of whatever brings them */
export function createArrivals(what: string, close: () => Promise<void>) {
  const witness = createWitness();
  const times: number[] = [];
  let lastAtMs = 0;
  const arrivals: Arrivals = {
    witness,
    times,
    lastAtMs: () => lastAtMs,
    async all(count, timeoutMs) {
      await eventually(
        async () => witness.hashes.size,
        (size) => size >= count,
        { timeoutMs, everyMs: 50, what: `${count} messages arrive ${what}` },
      ).catch(() => undefined);
    },
    longestGap(fromMs, toMs) {
      const inside = times
        .filter((atMs) => atMs >= fromMs && atMs <= toMs)
        .toSorted((one, other) => one - other);
      const gaps = [fromMs, ...inside].map((atMs, index) => (inside[index] ?? toMs) - atMs);
      return gaps.reduce((most, gap) => Math.max(most, gap), 0);
    },
    close,
  };
  return {
    arrivals,
    /** @param atMs - when it arrived; the target may know better than its reader, which has outages of its own */
    note(number: number, line: string, payload: Uint8Array, atMs = Date.now()) {
      lastAtMs = Math.max(lastAtMs, atMs);
      if (!witness.hashes.has(number)) times.push(atMs);
      witness.note(number, line, payload);
    },
  };
}

/** What tasks write to `out/<run>/<line>/<number>`, as a client sees it that comes back after an outage of the broker. */
export async function arrivalsOnMqtt(stage: Stage, run: string): Promise<Arrivals> {
  const { username, password, url } = stage.mqtt;
  const client = await mqtt.connectAsync(url, {
    protocolVersion: 5,
    username,
    password,
    clientId: `reader-${randomUUID()}`,
    clean: false,
    properties: { sessionExpiryInterval: 3_600 },
    reconnectPeriod: 200,
  });
  client.on('error', () => undefined);
  const { arrivals, note } = createArrivals(`on out/${run}`, () => client.endAsync(true));
  client.on('message', (topic, payload) => {
    const [, , line = '', number] = topic.split('/');
    note(Number(number), line, payload);
  });
  await client.subscribeAsync(`out/${run}/#`, { qos: 1 });
  return arrivals;
}

/** What tasks write to a RocketMQ topic with the number as its key and the line as its tag. */
export async function arrivalsOnRocketmq(
  stage: Stage,
  rocketmqTopic: string,
  isOrderly: boolean,
): Promise<Arrivals> {
  const consumerGroup = await stage.readerGroup(isOrderly);
  const { endpoint } = stage.rocketmq.rocketmq;
  const { arrivals, note } = createArrivals(`in ${rocketmqTopic}`, () => follower.close());
  const follower = await followMessages({ endpoint, rocketmqTopic, consumerGroup }, (message) => {
    const payload = message.properties.get('mqtt_empty') === '1' ? Buffer.alloc(0) : message.body;
    note(Number(message.keys[0]), message.tag ?? '', payload);
  });
  return arrivals;
}

/** A source of numbered messages at a steady rate. */
export interface Source {
  sent: readonly NumberedMessage[];
  /** Sends for so long; resolves when all of it was accepted. */
  run(ms: number): Promise<void>;
  /** Sends so many at once. */
  burst(count: number): Promise<void>;
  close(): Promise<void>;
}

function createSource(
  perSecond: number,
  send: (messages: readonly NumberedMessage[]) => Promise<void>,
  close: () => Promise<void>,
): Source {
  const sent: NumberedMessage[] = [];
  // Made in portions: numbers go on, and all of them are made the same way.
  let stock: NumberedMessage[] = [];

  function next(count: number): NumberedMessage[] {
    if (stock.length < sent.length + count)
      stock = [...sent, ...grown(sent.length, sent.length + count + 10_000)];
    return stock.slice(sent.length, sent.length + count);
  }

  async function burst(count: number): Promise<void> {
    const messages = next(count);
    sent.push(...messages);
    await send(messages);
  }

  return {
    sent,
    burst,
    async run(ms) {
      const beganMs = Date.now();
      const before = sent.length;
      for (let passedMs = 0; passedMs < ms; passedMs = Date.now() - beganMs) {
        const due = Math.floor((passedMs * perSecond) / 1_000) - (sent.length - before);
        if (due > 0) await burst(Math.min(due, perSecond));
        await delay(BURST_MS);
      }
    },
    close,
  };
}

function grown(from: number, to: number): NumberedMessage[] {
  return numberedMessages(to).slice(from);
}

/** Publishes to `in/<run>/<line>` on the stage's MQTT broker, the number in a property. */
export async function mqttSource(stage: Stage, run: string, perSecond: number): Promise<Source> {
  const { url, username, password } = stage.mqtt;
  const client: MqttClient = await mqtt.connectAsync(url, {
    protocolVersion: 5,
    username,
    password,
    reconnectPeriod: 0,
  });
  client.on('error', () => undefined);
  // Publishing a window at a time, it would wait 40 ms for each.
  (client.stream as Socket).setNoDelay(true);
  const publish = ({ number, line, payload }: NumberedMessage) =>
    client.publishAsync(`in/${run}/${line}`, payload, {
      qos: 1,
      properties: { userProperties: { n: String(number) } },
    });
  return createSource(
    perSecond,
    async (messages) => {
      for (let at = 0; at < messages.length; at += IN_FLIGHT) {
        await Promise.all(messages.slice(at, at + IN_FLIGHT).map(publish));
      }
    },
    () => client.endAsync(true),
  );
}

/** Sends to a RocketMQ topic, the number as key and the line as tag (and group, where it is ordered). */
export function rocketmqSource(
  stage: Stage,
  rocketmqTopic: string,
  perSecond: number,
  isOrdered: boolean,
): Source {
  const { endpoint } = stage.rocketmq.rocketmq;
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  return createSource(
    perSecond,
    async (messages) => {
      const batch = messages.map(({ number, line, payload }) => ({
        rocketmqTopic,
        body: payload.length === 0 ? Buffer.of(0) : payload,
        tag: line,
        keys: [String(number)],
        properties: new Map<string, string>(),
        ...(isOrdered ? { messageGroup: line } : {}),
      }));
      const results = await producer.send(rocketmqTopic, batch, { deadlineMs: Date.now() + SEND_MS });
      const failed = results.find(({ status }) => status === 'failed');
      if (failed !== undefined) throw new Error(`not sent: ${JSON.stringify(failed)}`);
    },
    () => producer.close(),
  );
}

/** The messages as a pull task must deliver them: RocketMQ takes no empty body. */
export function asPulled(sent: readonly NumberedMessage[]): NumberedMessage[] {
  return sent.map((message) =>
    message.payload.length === 0 ? { ...message, payload: Buffer.of(0) } : message,
  );
}

/** Nothing lost, nothing changed, duplicates counted, and order where it is asked. */
export function compare(
  rows: Rows,
  sent: readonly NumberedMessage[],
  { witness }: Arrivals,
  isOrdered: boolean,
): void {
  const { lost, changed } = differences(sent, witness);
  rows.tell('messages sent', sent.length);
  rows.none('lost', lost);
  rows.none('changed', changed);
  rows.tell('duplicates', witness.duplicates);
  if (isOrdered) rows.none('message groups out of order', disordered(witness));
}
