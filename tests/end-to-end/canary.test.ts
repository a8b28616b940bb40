import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import { ensureTopic } from '../../local/rocketmq-topics.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

/** One that fails is told with the next, a minute later: that takes minutes, and is tried with `MQFERRY_E2E_CANARY=fails`. */
const MAY_FAIL = process.env.MQFERRY_E2E_CANARY === 'fails';
const VERDICT_MS = 200_000;
const TIMEOUT_MS = MAY_FAIL ? 2 * VERDICT_MS + 120_000 : 120_000;

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

describe('the canary of a task', () => {
  it(
    'goes by Basic Ingest through the whole rule path, makes the task degraded while it fails, and counts nowhere',
    async () => {
      const { stack } = fixture;
      const run = randomUUID().replaceAll('-', '');
      const canaryTopic = `canaries_${run}`;
      if (!MAY_FAIL) await ensureTopic(stack.rocketmq, { topic: canaryTopic });
      const topic = await stack.createTopic('NORMAL');
      const taskId = await fixture.runningTask([`canary/${run}/+`], topic, {
        target: { clusterId: stack.clusters.rocketmq, topic },
        options: { canary: { canaryTopic } },
      });
      if (MAY_FAIL) await failAndComeBack(taskId, canaryTopic);
      else await stack.audit();
      const [canary] = await stack.consume(canaryTopic, `canaries_${run}`, 1);
      expect(canary?.properties.mqferry_canary).toBe(taskId);
      const { body: metrics } = await fixture.api('GET', `/tasks/${taskId}/metrics`);
      expect(metrics.totals).toMatchObject({ consumed: 0, replicated: 0, failed: 0, inFlight: 0 });
      expect((await fixture.api('GET', `/tasks/${taskId}`)).body.status).toBe('running');
    },
    TIMEOUT_MS,
  );

  it(
    'is published to an MQTT target on the topic of the task',
    async () => {
      const { stack } = fixture;
      const met = Promise.withResolvers<IPublishPacket>();
      factory.on('message', (_topic, _payload, packet) => met.resolve(packet));
      await factory.subscribeAsync('mqferry/canary/+', { qos: 1 });
      const topic = await stack.createTopic('NORMAL');
      const taskId = await fixture.runningTask([], topic, {
        source: { clusterId: stack.clusters.rocketmq, topic },
        target: { clusterId: stack.clusters.mqtt, topic: 'canary/${key}' },
        options: { canary: {} },
      });
      expect((await met.promise).topic).toBe(`mqferry/canary/${taskId}`);
      const { body } = await fixture.api('GET', `/tasks/${taskId}`);
      expect(body).toMatchObject({ status: 'running', lastErrors: [] });
    },
    VERDICT_MS,
  );
});

/** The topic of the canaries is missing for a while. */
async function failAndComeBack(taskId: string, canaryTopic: string): Promise<void> {
  const degraded = await fixture.becomes(taskId, 'degraded', VERDICT_MS);
  expect(degraded.reason).toMatchObject({ code: 'CANARY_FAILED', hint: expect.any(String) });
  await ensureTopic(fixture.stack.rocketmq, { topic: canaryTopic });
  await fixture.becomes(taskId, 'running', VERDICT_MS);
  const { body: events } = await fixture.api('GET', `/tasks/${taskId}/events`);
  const codes = events.items.map(({ code }: { code: string }) => code);
  expect(codes).toEqual(expect.arrayContaining(['CANARY_FAILED', 'CANARY_THROUGH']));
}
