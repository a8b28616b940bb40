import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { eventually } from '../helpers/eventually.ts';
import { PLANTED, plantedPayload } from '../helpers/planted.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

/** More of them: `MQFERRY_E2E_MESSAGES=10000`. */
const MESSAGES = Math.min(Number(process.env.MQFERRY_E2E_MESSAGES ?? 200), 10_000);
const PUBLISH_PORTION = 50;
const ALL_THERE_MS = 600_000;

let fixture: TaskFixture;
beforeAll(async () => {
  fixture = await openTaskFixture();
});
afterAll(() => fixture.close());

async function edit(taskId: string, patch: Record<string, unknown>): Promise<void> {
  await fixture.api('POST', `/tasks/${taskId}/pause`);
  const paused = await fixture.becomes(taskId, 'paused');
  const headers = { 'if-match': `"${paused.version}"` };
  expect(await fixture.api('PATCH', `/tasks/${taskId}`, patch, headers)).toMatchObject({ status: 200 });
  await fixture.api('POST', `/tasks/${taskId}/start`);
  await fixture.becomes(taskId, 'running');
}

async function summaryIs(taskId: string, messages: number): Promise<void> {
  await eventually(
    async () => (await fixture.api('GET', `/tasks/${taskId}/dead-letter-summary`)).body.messages,
    (count) => count === messages,
    { timeoutMs: ALL_THERE_MS, what: `${messages} dead letters` },
  );
}

// biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field
async function jobDone(taskId: string, jobId: string): Promise<any> {
  return eventually(
    async () => (await fixture.api('GET', `/tasks/${taskId}/dead-letter-jobs/${jobId}`)).body,
    (job) => job.state === 'done',
    { timeoutMs: ALL_THERE_MS, what: `job ${jobId} is done` },
  );
}

describe('dead letters', () => {
  it('are shown, and redriven through the mapping that was put right', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const station = `r${randomUUID().slice(0, 8)}`;
    const target = { clusterId: fixture.stack.clusters.rocketmq, topic };
    const taskId = await fixture.runningTask([`stations/${station}/status`], topic, {
      target: { ...target, keys: ['${payload.serial}'] },
    });
    const device = await fixture.device();
    const texts = Array.from({ length: MESSAGES }, (_, number) =>
      JSON.stringify({ number, text: PLANTED.payload }),
    );
    for (let at = 0; at < texts.length; at += PUBLISH_PORTION) {
      const portion = texts.slice(at, at + PUBLISH_PORTION);
      await Promise.all(
        portion.map((text) => device.publishAsync(`stations/${station}/status`, text, { qos: 1 })),
      );
    }
    await summaryIs(taskId, MESSAGES);

    const { body: page } = await fixture.api(
      'GET',
      `/tasks/${taskId}/dead-letters?reason=TEMPLATE_VALUE_MISSING&limit=1`,
    );
    expect(page.items).toMatchObject([
      {
        taskId,
        origin: 'forward',
        reason: 'TEMPLATE_VALUE_MISSING',
        sourceTopic: `stations/${station}/status`,
        redrives: 0,
      },
    ]);
    const [{ deadLetterId }] = page.items;
    const { body: letter } = await fixture.api('GET', `/tasks/${taskId}/dead-letters/${deadLetterId}`);
    expect(letter.content).toMatchObject({ kind: 'mqtt', topicName: `stations/${station}/status` });
    expect(texts).toContain(Buffer.from(letter.content.payload, 'base64').toString());

    expect(await fixture.api('POST', `/tasks/${taskId}/pause`)).toMatchObject({ status: 202 });
    await fixture.becomes(taskId, 'paused');
    expect(await fixture.api('POST', `/tasks/${taskId}/dead-letters/redrive`, { all: true })).toMatchObject({
      status: 409,
      body: { code: 'TASK_NOT_RUNNING' },
    });
    await edit(taskId, { target: { keys: ['${payload.serial:-none}'] } });
    const asked = await fixture.api('POST', `/tasks/${taskId}/dead-letters/redrive`, {
      all: true,
      maxMessagesPerSecond: 1_000,
    });
    expect(asked).toMatchObject({ status: 202, body: { action: 'redrive', all: true, state: 'queued' } });
    const arrived = await fixture.stack.consume(topic, `group_${station}`, MESSAGES, ALL_THERE_MS);
    expect(await jobDone(taskId, asked.body.jobId)).toMatchObject({
      counts: { redriven: MESSAGES, failed: 0, skipped: 0, missing: 0 },
    });
    expect(arrived.map(({ body }) => body.toString()).sort()).toEqual(texts.toSorted());
    expect(new Set(arrived.map(({ properties }) => properties.mqferry_redriven)).size).toBe(MESSAGES);
    await summaryIs(taskId, 0);
    const { body: events } = await fixture.api('GET', `/tasks/${taskId}/events`);
    expect(events.items).toContainEqual(expect.objectContaining({ code: 'DEAD_LETTERS_REDRIVEN' }));
  }, 1_200_000);

  it('of commands reach the device once their topic can be rendered; others are discarded', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const station = `c${randomUUID().slice(0, 8)}`;
    const taskId = await fixture.runningTask([], topic, {
      source: { clusterId: fixture.stack.clusters.rocketmq, topic, startFrom: 'earliest' },
      target: { clusterId: fixture.stack.clusters.iot, topic: `stations/${station}/\${prop.what}` },
    });
    const { endpoint } = fixture.stack.rocketmq;
    const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
    const commands = ['open', 'close', 'reset'].map(plantedPayload);
    const messages = commands.map((text) => ({
      rocketmqTopic: topic,
      body: Buffer.from(text),
      keys: [],
      properties: new Map<string, string>(),
    }));
    await producer.send(topic, messages, { deadlineMs: Date.now() + 10_000 });
    await producer.close();
    await summaryIs(taskId, 3);

    const { body: page } = await fixture.api('GET', `/tasks/${taskId}/dead-letters`);
    const { body: newest } = await fixture.api(
      'GET',
      `/tasks/${taskId}/dead-letters/${page.items[0].deadLetterId}`,
    );
    expect(newest).toMatchObject({ origin: 'pull', sourceTopic: topic, content: { kind: 'rocketmq' } });
    const discarded = await fixture.api('POST', `/tasks/${taskId}/dead-letters/discard`, {
      ids: [newest.deadLetterId],
    });
    expect(await jobDone(taskId, discarded.body.jobId)).toMatchObject({ counts: { discarded: 1 } });

    const device = await fixture.device();
    const received: string[] = [];
    device.on('message', (_topic, payload) => received.push(payload.toString()));
    await device.subscribeAsync(`stations/${station}/commands`, { qos: 1 });
    await edit(taskId, { target: { topic: `stations/${station}/\${prop.what:-commands}` } });
    const asked = await fixture.api('POST', `/tasks/${taskId}/dead-letters/redrive`, {
      reason: 'TEMPLATE_VALUE_MISSING',
    });
    expect(await jobDone(taskId, asked.body.jobId)).toMatchObject({ counts: { redriven: 2, failed: 0 } });
    const gone = Buffer.from(newest.content.body, 'base64').toString();
    await eventually(
      async () => received.toSorted(),
      (texts) => texts.length === 2,
      { timeoutMs: 30_000, what: 'both commands arrive' },
    );
    expect(received.toSorted()).toEqual(commands.filter((text) => text !== gone).sort());
    await summaryIs(taskId, 0);
  }, 300_000);
});
