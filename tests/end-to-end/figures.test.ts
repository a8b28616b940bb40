import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt, { type MqttClient } from 'mqtt';
import { eventually } from '../helpers/eventually.ts';
import { plantedPayload } from '../helpers/planted.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

const COUNT = 200;
/** Of these the mapping finds no value. */
const FAULTY = 7;
const IN_FLIGHT = 10;
const TIMEOUT_MS = 180_000;

let fixture: TaskFixture;
let factory: MqttClient;
beforeAll(async () => {
  fixture = await openTaskFixture();
  const { url, username, password } = fixture.stack.mqtt;
  factory = await mqtt.connectAsync(url, { protocolVersion: 5, username, password, reconnectPeriod: 0 });
});
afterAll(async () => {
  await factory.endAsync(true);
  await fixture.close();
});

describe('the figures of a task', () => {
  it(
    'are what was published, on the rule path',
    async () => {
      const run = `f${randomUUID().slice(0, 8)}`;
      const topic = await fixture.stack.createTopic('NORMAL');
      const taskId = await fixture.runningTask([`figures/${run}/+`], topic, {
        target: { clusterId: fixture.stack.clusters.rocketmq, topic, keys: ['${payload.key}'] },
      });
      await publishAll(await fixture.device(), `figures/${run}`);
      const metrics = await settled(taskId);
      expect(metrics.balance).toMatchObject({ witness: 'none', balanced: true, countedTwice: 0 });
      expect(metrics.latencyPartsMs.queue.max).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'are what was published, on the session path, and for Prometheus too',
    async () => {
      const run = `f${randomUUID().slice(0, 8)}`;
      const topic = await fixture.stack.createTopic('NORMAL');
      const taskId = await fixture.runningTask([], topic, {
        source: { clusterId: fixture.stack.clusters.mqtt, topicFilters: [`figures/${run}/+`] },
        target: { clusterId: fixture.stack.clusters.rocketmq, topic, keys: ['${payload.key}'] },
      });
      await publishAll(factory, `figures/${run}`);
      const metrics = await settled(taskId);
      // The minutes compared are those that ended five minutes ago: of these nobody has told anything yet.
      expect(metrics.balance).toMatchObject({ witness: 'receipts', balanced: true, countedTwice: 0 });

      const { status, headers, body } = await fixture.api('GET', '/metrics');
      expect(status).toBe(200);
      expect(headers.get('content-type')).toContain('text/plain');
      const own = (name: string) =>
        new RegExp(`^${name}\\{task="${taskId}",[^}]*\\} (\\d+)$`, 'm').exec(body)?.[1];
      expect(own('mqferry_consumed_messages_total')).toBe(String(COUNT));
      expect(own('mqferry_in_flight_messages')).toBe('0');
      expect(own('mqferry_sync_latency_seconds_count')).toBe(String(COUNT - FAULTY));
    },
    TIMEOUT_MS,
  );
});

async function publishAll(client: MqttClient, prefix: string): Promise<void> {
  for (let from = 0; from < COUNT; from += IN_FLIGHT) {
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, (_, index) => {
        const number = from + index;
        const payload = JSON.stringify({
          ...(number < FAULTY ? {} : { key: `k${number}` }),
          text: plantedPayload(`${number}`),
        });
        return client.publishAsync(`${prefix}/${number}`, payload, { qos: 1 });
      }),
    );
  }
}

/** The figures once every message has its outcome. */
async function settled(taskId: string) {
  const { body } = await eventually(
    () => fixture.api('GET', `/tasks/${taskId}/metrics`),
    ({ body }) => body.totals?.replicated + body.totals?.failed >= COUNT,
    { timeoutMs: 120_000, what: 'every message has its outcome in the figures' },
  );
  const { totals, syncLatencyMs, series } = body;
  expect(totals).toMatchObject({
    consumed: COUNT,
    replicated: COUNT - FAULTY,
    failed: FAULTY,
    inFlight: 0,
    filtered: 0,
    expired: 0,
  });
  expect(Object.values(totals.failedByCode)).toEqual([FAULTY]);
  expect(syncLatencyMs.messages).toBe(COUNT - FAULTY);
  expect(syncLatencyMs.p50).toBeGreaterThan(0);
  expect(syncLatencyMs.max).toBeGreaterThanOrEqual(syncLatencyMs.p99);
  const inSeries = series.reduce((sum: number, { consumed }: { consumed: number }) => sum + consumed, 0);
  expect(inSeries).toBe(COUNT);
  return body;
}
