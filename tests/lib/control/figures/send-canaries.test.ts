import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryCanaryStore } from '../../../../lib/adapters/memory/canary-store.ts';
import { createSendCanaries } from '../../../../lib/control/figures/send-canaries.ts';
import { BrokerHoldError } from '../../../../lib/domain/errors/errors.ts';
import type { StatusReason, Task } from '../../../../lib/domain/tasks/task.ts';
import type { CanaryEntrance } from '../../../../lib/ports/canary-entrance.ts';
import { createRecordingLogger, createSteppingClock, ruleTask, TASK_ID } from '../../../helpers/rule-path.ts';

const MINUTE_MS = 60_000;

function createWorld(enter: CanaryEntrance['enter'] = async () => undefined) {
  const clock = createSteppingClock();
  const canaries = createMemoryCanaryStore();
  const logger = createRecordingLogger();
  const sent: Parameters<CanaryEntrance['enter']>[0][] = [];
  const events: string[] = [];
  const rule = { region: 'eu-west-1', topicFilter: 'a', specHash: 'h', enabled: true };
  const task: Task = ruleTask(
    { options: { canary: {} } },
    {
      resources: {
        rules: {
          1: { ...rule, name: 'rule_1' },
          0: { ...rule, name: 'rule_0' },
        },
      },
    },
  );
  let tokens = 0;
  const sendCanaries = createSendCanaries({
    canaries,
    entrance: {
      async enter(canary) {
        await enter(canary);
        sent.push(canary);
      },
    },
    tasks: {
      async reportCanary(_, health) {
        task.status = health.status;
        if (health.status === 'degraded') task.reason = health.reason;
        else delete task.reason;
        return true;
      },
      async appendEvent(_, { code }) {
        events.push(code);
      },
    },
    newToken: () => {
      tokens += 1;
      return `token-${tokens}`;
    },
    clock,
    logger,
  });
  return {
    clock,
    canaries,
    logger,
    sent,
    events,
    task,
    tick: (isLate = false) => sendCanaries([task], { isLate: () => isLate }),
    /** The last one comes to the batching function. */
    come: () => canaries.came(TASK_ID, { sentAtMs: clock.now() }),
  };
}

describe('createSendCanaries', () => {
  let world: ReturnType<typeof createWorld>;
  beforeEach(() => {
    world = createWorld();
  });
  const pass = () => world.clock.step(MINUTE_MS);

  it('sends one a minute to the first rule alone, all with one token', async () => {
    for (let ticks = 0; ticks < 3; ticks += 1) {
      await world.tick();
      // The tick with the audit.
      await world.tick();
      await world.come();
      pass();
    }
    expect(world.sent).toHaveLength(3);
    expect(world.sent[0]).toMatchObject({
      region: 'eu-west-1',
      ruleName: 'rule_0',
      topicName: `mqferry/canary/${TASK_ID}`,
    });
    const tokens = world.sent.map(({ payload }) => JSON.parse(payload.toString()).mqferry_canary);
    expect(new Set(tokens)).toEqual(new Set(['token-1']));
    expect([world.task.status, world.events]).toEqual(['running', []]);
  });

  it('makes a task degraded whose canaries stay away, once, and running when one comes', async () => {
    for (let ticks = 0; ticks < 4; ticks += 1) {
      await world.tick();
      pass();
    }
    expect(world.task.status).toBe('running');
    for (let ticks = 0; ticks < 3; ticks += 1) {
      await world.tick();
      pass();
    }
    expect(world.task).toMatchObject({
      status: 'degraded',
      reason: { code: 'CANARY_FAILED', about: 'canary', message: expect.stringContaining('CANARY_MISSING') },
    });
    expect(world.events).toEqual(['CANARY_FAILED']);
    await world.tick();
    await world.come();
    pass();
    await world.tick();
    expect(world.task.status).toBe('running');
    expect(world.events).toEqual(['CANARY_FAILED', 'CANARY_THROUGH']);
  });

  it('tells what the canary met at the target', async () => {
    await world.tick();
    const failure = { code: 'TOPIC_NOT_FOUND', message: 'no such topic', hint: 'create it' };
    await world.canaries.came(TASK_ID, { sentAtMs: world.clock.now(), failure });
    pass();
    await world.tick();
    expect(world.task.reason).toMatchObject({
      message: expect.stringContaining('TOPIC_NOT_FOUND'),
      hint: 'create it',
    });
  });

  it('tells that AWS IoT refuses it', async () => {
    const denied = new BrokerHoldError('access is denied', { code: 'ACCESS_DENIED', scope: 'cluster' });
    world = createWorld(async () => {
      throw denied;
    });
    await world.tick();
    pass();
    await world.tick();
    expect(world.task.reason?.message).toContain('ACCESS_DENIED');
  });

  it('begins anew after a pause: what was missing then is no failure', async () => {
    await world.tick();
    world.clock.step(60 * MINUTE_MS);
    await world.tick();
    pass();
    await world.tick();
    expect([world.task.status, world.events]).toEqual(['running', []]);
  });

  it('begins anew with a start or an edit, however short the pause: nothing was tried since', async () => {
    await world.tick();
    const failure = { code: 'TOPIC_NOT_FOUND', message: 'no such topic' };
    await world.canaries.came(TASK_ID, { sentAtMs: world.clock.now(), failure });
    pass();
    await world.tick();
    expect(world.task.status).toBe('degraded');
    world.clock.step(MINUTE_MS / 2);
    world.task.updatedAt = new Date(world.clock.now()).toISOString();
    world.task.status = 'running';
    delete world.task.reason;
    pass();
    await world.tick();
    expect([world.task.status, world.events]).toEqual(['running', ['CANARY_FAILED']]);
    await world.come();
    pass();
    await world.tick();
    expect([world.task.status, world.events]).toEqual(['running', ['CANARY_FAILED']]);
  });

  it('leaves alone what an end is known to be at fault of', async () => {
    const reason: StatusReason = { code: 'TARGET_TIMEOUT', message: 'away', at: 'now', about: 'target' };
    Object.assign(world.task, { status: 'degraded', reason });
    await world.tick();
    await world.come();
    pass();
    await world.tick();
    expect(world.task.reason).toEqual(reason);
  });

  it('sends nothing where there is no rule that is enabled, and none when it is late', async () => {
    await world.tick(true);
    for (const rule of Object.values(world.task.resources.rules)) rule.enabled = false;
    await world.tick();
    expect(world.sent).toEqual([]);
  });

  it('goes on with the next minute when the table does not answer', async () => {
    const { get } = world.canaries;
    world.canaries.get = () => Promise.reject(new Error('no answer'));
    await world.tick();
    expect(world.logger.lines).toMatchObject([{ level: 'warn', message: 'canary not sent' }]);
    world.canaries.get = get;
    await world.tick();
    expect(world.sent).toHaveLength(1);
  });
});
