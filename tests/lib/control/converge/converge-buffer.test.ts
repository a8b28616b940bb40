import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  presentTask,
  silentLogger,
} from '../../../helpers/converge-world.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';
const QUEUE = `mqferry-dev-0a1b2c3d-${TASK}`;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const AUDIT_MS = 15 * MINUTE_MS;
const away = { code: 'TARGET_UNREACHABLE', message: 'away', about: 'target' } as const;

let world: ConvergeWorld;
let warnings: { message: string; fields: Record<string, unknown> | undefined }[];
beforeEach(async () => {
  warnings = [];
  const warn = (message: string, fields?: Record<string, unknown>) => void warnings.push({ message, fields });
  world = await createConvergeWorld({ logger: { ...silentLogger, warn } });
  await world.create(TASK, definition(['a/+']));
  await world.settle(TASK);
});

async function pause(): Promise<void> {
  await world.setDesired(TASK, 'paused');
  await world.settle(TASK);
}

/** Audits every 15 minutes for so long; answers the task as it is then. */
async function auditsFor(durationMs: number) {
  const endMs = world.clock.now() + durationMs;
  while (world.clock.now() < endMs) {
    await world.settle(TASK, { audit: true });
    world.clock.advance(AUDIT_MS);
  }
  return task();
}

const task = () => presentTask(world, TASK);

const told = async () => (await world.events(TASK)).filter((code) => code === 'BUFFER_EXPIRING').length;

describe('an audit of a task that does not run', () => {
  it('says when messages of a pause have waited for ten days, once, and goes on logging it', async () => {
    await pause();
    world.strict.publish('a/x');
    world.clock.advance(MINUTE_MS);
    expect((await auditsFor(10 * DAY_MS - AUDIT_MS)).reason).toBeUndefined();
    expect([await told(), warnings]).toEqual([0, []]);
    expect(await auditsFor(3 * AUDIT_MS)).toMatchObject({
      status: 'paused',
      reason: { code: 'BUFFER_EXPIRING', hint: expect.stringContaining('Start'), at: expect.any(String) },
    });
    await auditsFor(DAY_MS / 4);
    expect(await told()).toBe(1);
    expect(warnings.length).toBeGreaterThan(20);
    expect(warnings[0]).toEqual({
      message: 'messages wait too long',
      fields: expect.objectContaining({
        taskId: TASK,
        status: 'paused',
        waitedMs: expect.any(Number),
        backlog: { waiting: 1, inFlight: 0 },
      }),
    });
  });

  it('says nothing of a queue that was empty in between', async () => {
    await pause();
    world.strict.publish('a/x');
    world.clock.advance(MINUTE_MS);
    await auditsFor(9 * DAY_MS);
    world.strict.change(QUEUE, { waiting: -1 });
    world.clock.advance(MINUTE_MS);
    await auditsFor(AUDIT_MS);
    expect((await task()).resources).not.toHaveProperty('bufferingSinceMs');
    world.strict.publish('a/x');
    world.clock.advance(MINUTE_MS);
    expect((await auditsFor(9 * DAY_MS)).reason).toBeUndefined();
    expect(await told()).toBe(0);
  });

  it('takes the reason back when the queue is empty, and tells it anew when it fills again', async () => {
    await pause();
    world.strict.publish('a/x');
    world.clock.advance(MINUTE_MS);
    await auditsFor(10 * DAY_MS + 2 * AUDIT_MS);
    world.strict.change(QUEUE, { waiting: -1 });
    world.clock.advance(MINUTE_MS);
    const emptied = await auditsFor(AUDIT_MS);
    expect(emptied.reason).toBeUndefined();
    expect(emptied.resources).not.toHaveProperty('bufferExpiringAtMs');
    world.strict.publish('a/x');
    world.clock.advance(MINUTE_MS);
    await auditsFor(10 * DAY_MS + 2 * AUDIT_MS);
    expect(await told()).toBe(2);
  });

  it('forgets it when the task runs again', async () => {
    await pause();
    world.strict.publish('a/x');
    world.clock.advance(MINUTE_MS);
    await auditsFor(10 * DAY_MS + 2 * AUDIT_MS);
    await world.setDesired(TASK, 'running');
    expect((await task()).reason).toBeUndefined();
    await world.settle(TASK, { audit: true });
    await auditsFor(AUDIT_MS);
    const running = await task();
    expect(running).toMatchObject({ status: 'running' });
    expect(running.reason).toBeUndefined();
    expect(running.resources).not.toHaveProperty('bufferingSinceMs');
  });

  it('gives the reason again that an edit took away, without another event', async () => {
    await pause();
    world.strict.publish('a/x');
    world.clock.advance(MINUTE_MS);
    await auditsFor(10 * DAY_MS + 2 * AUDIT_MS);
    await world.edit(TASK, definition(['a/+'], { concurrency: 7 }), 1);
    await world.settle(TASK);
    expect((await auditsFor(AUDIT_MS)).reason).toMatchObject({ code: 'BUFFER_EXPIRING' });
    expect(await told()).toBe(1);
  });

  it('tells it of a degraded task too, and leaves the reason to the data plane', async () => {
    await world.tasks.reportHealth(TASK, { status: 'degraded', reason: { ...away, at: world.at() } });
    world.strict.change(QUEUE, { inFlight: 5 });
    world.clock.advance(MINUTE_MS);
    const degraded = await auditsFor(10 * DAY_MS + 2 * AUDIT_MS);
    expect(degraded).toMatchObject({ status: 'degraded', reason: { code: 'TARGET_UNREACHABLE' } });
    expect(await told()).toBe(1);
    expect(warnings.at(-1)?.fields).toMatchObject({ status: 'degraded' });
    await world.tasks.reportHealth(TASK, { status: 'running' });
    const running = await auditsFor(AUDIT_MS);
    expect(running).toMatchObject({ status: 'running' });
    expect(running).not.toHaveProperty('reason');
    expect(running.resources).not.toHaveProperty('bufferingSinceMs');
  });

  it('does not give the reason to a task that was started while it counted', async () => {
    await pause();
    world.strict.publish('a/x');
    world.clock.advance(MINUTE_MS);
    await auditsFor(10 * DAY_MS - AUDIT_MS);
    world.clock.advance(2 * AUDIT_MS);
    let isStarted = false;
    world.setOnCall((call) => {
      if (call !== 'before saveProgress' || isStarted) return;
      isStarted = true;
      const record = world.state.tasks.get(TASK);
      if (record !== undefined) Object.assign(record.task, { desired: 'running', status: 'starting' });
    });
    await world.converge(TASK, { audit: true });
    expect(isStarted).toBe(true);
    expect((await task()).reason).toBeUndefined();
  });
});
