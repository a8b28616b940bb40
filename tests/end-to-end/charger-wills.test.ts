import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { losePower } from '../helpers/iot-client.ts';
import { PLANTED, plantedPayload } from '../helpers/planted.ts';
import { startRemotingConsumer } from '../helpers/remoting-consumer.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

let fixture: TaskFixture;
beforeAll(async () => {
  fixture = await openTaskFixture();
});
afterAll(() => fixture.close());

describe('a task from AWS IoT to RocketMQ', () => {
  it('carries the will of a charger that lost power, byte for byte, to consumers of both kinds', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const station = `s${randomUUID().slice(0, 8)}`;
    await fixture.runningTask([`stations/${station}/+`], topic);
    const payload = Buffer.concat([
      Buffer.from([0, 0xff, 0xfe, 0x80]),
      randomBytes(252),
      Buffer.from(PLANTED.payload),
    ]);
    const java = await startRemotingConsumer({
      ...fixture.stack.rocketmq,
      topic,
      group: `java_${station}`,
      count: 1,
    });
    const grpc = fixture.stack.consume(topic, `grpc_${station}`, 1);

    const charger = await fixture.device({
      will: { topic: `stations/${station}/status`, payload, qos: 1, retain: false },
    });
    const lostAt = Date.now();
    losePower(charger);

    const [message] = await grpc;
    const tookMs = Date.now() - lostAt;
    expect(message?.body.equals(payload)).toBe(true);
    expect(message).toMatchObject({ tag: 'status', keys: [station] });
    expect(message?.properties).toMatchObject({ mqtt_topic: `stations/${station}/status` });
    expect(Number(message?.properties.mqferry_source_time)).toBeGreaterThan(lostAt - 5_000);
    expect(tookMs).toBeLessThan(30_000);

    const [seenByJava] = await java.messages();
    expect(seenByJava?.body.equals(payload)).toBe(true);
    expect(seenByJava).toMatchObject({ tag: 'status', keys: station });
    expect(seenByJava?.properties).toMatchObject({ mqtt_topic: `stations/${station}/status` });
  }, 120_000);

  it('holds what is published during a pause, and delivers it after the start', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const station = `p${randomUUID().slice(0, 8)}`;
    const taskId = await fixture.runningTask([`stations/${station}/status`], topic);
    const publisher = await fixture.device();

    const before = fixture.stack.consume(topic, `before_${station}`, 1);
    await publisher.publishAsync(`stations/${station}/status`, plantedPayload('before'), { qos: 1 });
    expect((await before).map((message) => message.body.toString())).toEqual([plantedPayload('before')]);

    expect(await fixture.api('POST', `/tasks/${taskId}/pause`)).toMatchObject({ status: 202 });
    await fixture.becomes(taskId, 'paused');
    await publisher.publishAsync(`stations/${station}/status`, plantedPayload('during'), { qos: 1 });
    await eventually(
      () => fixture.stack.queueDepth(taskId),
      (depth) => depth === 1,
      { timeoutMs: 15_000, what: 'the message waits in the task queue' },
    );

    const after = fixture.stack.consume(topic, `after_${station}`, 2);
    expect(await fixture.api('POST', `/tasks/${taskId}/start`)).toMatchObject({ status: 202 });
    await fixture.becomes(taskId, 'running');
    expect((await after).map((message) => message.body.toString()).sort()).toEqual(
      ['before', 'during'].map(plantedPayload),
    );
  }, 180_000);

  it('skips what is published during a pause when told to discard', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const station = `d${randomUUID().slice(0, 8)}`;
    const taskId = await fixture.runningTask([`stations/${station}/status`], topic, {
      options: { whilePaused: 'discard' },
    });
    const publisher = await fixture.device();
    await fixture.api('POST', `/tasks/${taskId}/pause`);
    await fixture.becomes(taskId, 'paused');
    await publisher.publishAsync(`stations/${station}/status`, plantedPayload('skipped'), { qos: 1 });
    await fixture.api('POST', `/tasks/${taskId}/start`);
    await fixture.becomes(taskId, 'running');
    const after = fixture.stack.consume(topic, `g_${station}`, 1);
    await publisher.publishAsync(`stations/${station}/status`, plantedPayload('carried'), { qos: 1 });
    expect((await after).map((message) => message.body.toString())).toEqual([plantedPayload('carried')]);
  }, 180_000);

  it('sends what an edited mapping says, also for what was buffered before the edit', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const station = `e${randomUUID().slice(0, 8)}`;
    const taskId = await fixture.runningTask([`stations/${station}/status`], topic);
    const publisher = await fixture.device();

    const refused = await fixture.api(
      'PATCH',
      `/tasks/${taskId}`,
      { target: { tag: 'edited' } },
      { 'if-match': '"1"' },
    );
    expect(refused).toMatchObject({ status: 409, body: { code: 'TASK_RUNNING' } });

    await fixture.api('POST', `/tasks/${taskId}/pause`);
    await fixture.becomes(taskId, 'paused');
    await publisher.publishAsync(`stations/${station}/status`, plantedPayload('x'), { qos: 1 });
    expect(await fixture.api('PATCH', `/tasks/${taskId}`, { target: { tag: 'edited' } })).toMatchObject({
      status: 428,
    });
    expect(
      await fixture.api('PATCH', `/tasks/${taskId}`, { target: { tag: 'edited' } }, { 'if-match': '"7"' }),
    ).toMatchObject({ status: 412, body: { code: 'VERSION_MISMATCH' } });
    const edited = await fixture.api(
      'PATCH',
      `/tasks/${taskId}`,
      { target: { tag: 'edited' } },
      { 'if-match': '"1"' },
    );
    expect(edited).toMatchObject({ status: 200, body: { version: 2 } });

    const read = fixture.stack.consume(topic, `g_${station}`, 1);
    await fixture.api('POST', `/tasks/${taskId}/start`);
    expect(await read).toMatchObject([{ tag: 'edited' }]);
    expect((await fixture.api('GET', `/tasks/${taskId}/revisions`)).body.items).toHaveLength(2);
  }, 180_000);

  it('keeps a backlog from being deleted by accident, and deletes everything it made when told to', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const station = `x${randomUUID().slice(0, 8)}`;
    const taskId = await fixture.runningTask([`stations/${station}/status`], topic);
    const publisher = await fixture.device();
    expect(await fixture.api('DELETE', `/tasks/${taskId}`)).toMatchObject({
      status: 409,
      body: { code: 'TASK_RUNNING' },
    });
    await fixture.api('POST', `/tasks/${taskId}/pause`);
    await fixture.becomes(taskId, 'paused');
    await publisher.publishAsync(`stations/${station}/status`, plantedPayload('waiting'), { qos: 1 });
    await eventually(
      () => fixture.stack.queueDepth(taskId),
      (depth) => depth === 1,
      { timeoutMs: 15_000, what: 'the message waits in the task queue' },
    );
    expect(await fixture.api('DELETE', `/tasks/${taskId}`)).toMatchObject({
      status: 409,
      body: { code: 'BACKLOG_NOT_EMPTY' },
    });
    expect(await fixture.api('DELETE', `/tasks/${taskId}?backlog=discard`)).toMatchObject({ status: 202 });
    await eventually(
      () => fixture.api('GET', `/tasks/${taskId}`),
      (answer) => answer.status === 404,
      { timeoutMs: 90_000, what: 'the task is gone' },
    );
    expect(await fixture.stack.resourcesOf(taskId)).toEqual({ queues: [], mappings: [], rules: [] });
  }, 240_000);
});
