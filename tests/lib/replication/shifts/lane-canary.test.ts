import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
} from '../../../../lib/domain/errors/errors.ts';
import { totalsOf } from '../../../../lib/domain/figures/figures.ts';
import type { StatusReason } from '../../../../lib/domain/tasks/task.ts';
import { createLaneHealth } from '../../../../lib/replication/shifts/lane-health.ts';
import { createPullWorld } from '../../../helpers/pull-world.ts';
import { createRecordingLogger, TASK_ID } from '../../../helpers/rule-path.ts';
import { createLaneWorld, sessionTask } from '../../../helpers/session-lane.ts';

const MINUTE_MS = 60_000;
const refused = new BrokerHoldError('not allowed', {
  code: 'ACCESS_DENIED',
  scope: 'topic',
  hint: 'allow it',
});
const throttled = new BrokerThrottledError('quota exceeded', { waitMs: 200 });

describe('the canary of a pull lane', () => {
  const isCanary = ({ topicName }: { topicName: string }) => topicName.startsWith('mqferry/canary/');

  it('is published each minute on the topic of the task, and is in no figure', async () => {
    const world = createPullWorld({ options: { canary: {} } });
    const { lane } = await world.open();
    await world.clock.advance(MINUTE_MS);
    await world.clock.advance(MINUTE_MS);
    await world.settle();
    const { taskId } = world.task;
    expect(world.publisher.published.map(({ topicName }) => topicName)).toEqual([
      `mqferry/canary/${taskId}`,
      `mqferry/canary/${taskId}`,
    ]);
    expect(world.canaries).toEqual(['through', 'through']);
    await world.close(lane);
    expect(totalsOf(await world.figures.totals(taskId)).totals).toMatchObject({ consumed: 0, replicated: 0 });
  });

  it('tells what it met, unless that says nothing', async () => {
    const world = createPullWorld({ options: { canary: {} } });
    await world.open();
    world.publisher.decide((message) => (isCanary(message) ? refused : undefined));
    await world.clock.advance(MINUTE_MS);
    await world.settle();
    expect(world.canaries).toEqual([{ code: 'ACCESS_DENIED', message: 'not allowed', hint: 'allow it' }]);
    world.publisher.decide((message) => (isCanary(message) ? throttled : undefined));
    await world.clock.advance(MINUTE_MS);
    await world.settle();
    expect(world.canaries).toHaveLength(1);
  });

  it('is not there without the option, and ends with its lane', async () => {
    const without = createPullWorld();
    await without.open();
    await without.clock.advance(3 * MINUTE_MS);
    expect(without.publisher.published).toEqual([]);
    const world = createPullWorld({ options: { canary: {} } });
    const { lane } = await world.open();
    await world.close(lane);
    await world.clock.advance(3 * MINUTE_MS);
    expect(world.publisher.published).toEqual([]);
    expect(await lane.ended).toEqual({ reason: 'closed' });
  });
});

describe('the canary of a session lane', () => {
  const options = { via: 'session', canary: { canaryTopic: 'other' } };

  it('ends in the canary topic, and is in no figure', async () => {
    const world = createLaneWorld({ task: sessionTask({ options }) });
    const lane = world.open();
    await world.settle();
    await world.clock.advance(MINUTE_MS);
    await world.settle();
    expect(world.producer.stored('other').map(({ keys }) => keys)).toEqual([[TASK_ID]]);
    expect(world.canaries).toEqual(['through']);
    await lane.close();
    await world.clock.advance(3 * MINUTE_MS);
    expect(world.producer.stored('other')).toHaveLength(1);
  });

  it('asks the target where there is none, and tells what that says', async () => {
    const world = createLaneWorld({ task: sessionTask({ options: { via: 'session', canary: {} } }) });
    world.open();
    await world.settle();
    await world.clock.advance(MINUTE_MS);
    await world.settle();
    expect(world.canaries).toEqual(['through']);
    expect(world.producer.sends).toBe(0);
    world.producer.check = () =>
      Promise.reject(new BrokerUnavailableError('no answer', { code: 'TARGET_UNAVAILABLE' }));
    await world.clock.advance(MINUTE_MS);
    await world.settle();
    expect(world.canaries[1]).toEqual({ code: 'TARGET_UNAVAILABLE', message: 'no answer' });
  });

  it('rests while the task is paused', async () => {
    const world = createLaneWorld({ task: sessionTask({ options }) });
    world.open('buffer');
    await world.settle();
    await world.clock.advance(3 * MINUTE_MS);
    await world.settle();
    expect(world.producer.stored('other')).toEqual([]);
  });
});

describe('what a lane says of its canary', () => {
  function createWorld() {
    const said: (StatusReason | 'running')[] = [];
    const events: string[] = [];
    const faults = { next: false };
    const health = createLaneHealth({
      task: { taskId: TASK_ID },
      tasks: {
        reportLane: async () => true,
        async reportCanary(_, told) {
          if (faults.next) throw new Error('no answer');
          said.push(told.status === 'running' ? 'running' : told.reason);
          return true;
        },
        async appendEvent(_, { code }) {
          events.push(code);
        },
      },
      clock: createManualClock(),
      logger: createRecordingLogger(),
    });
    const settle = async () => {
      for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    return { health, said, events, faults, settle };
  }
  const failure = { code: 'ACCESS_DENIED', message: 'not allowed' };

  it('is said once while it comes through, and each time while it does not', async () => {
    const { health, said, events, settle } = createWorld();
    for (const verdict of ['through', 'through', failure, failure, 'through'] as const) {
      health.canary(verdict);
      await settle();
    }
    expect(said.map((one) => (one === 'running' ? one : one.code))).toEqual([
      'running',
      'CANARY_FAILED',
      'CANARY_FAILED',
      'running',
    ]);
    expect(events).toContain('CANARY_FAILED');
  });

  it('is said with the next one where the table did not answer', async () => {
    const { health, said, faults, settle } = createWorld();
    faults.next = true;
    health.canary('through');
    await settle();
    faults.next = false;
    health.canary('through');
    await settle();
    expect(said).toEqual(['running']);
  });
});
