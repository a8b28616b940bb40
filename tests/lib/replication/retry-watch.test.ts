import { describe, expect, it } from '@jest/globals';
import { createMemoryRetryTallies } from '../../../lib/adapters/memory/retry-tallies.ts';
import { BrokerUnavailableError } from '../../../lib/domain/errors/errors.ts';
import { type RetryOption, retryPolicyOf } from '../../../lib/domain/tasks/retry-policy.ts';
import type { RetryTallies } from '../../../lib/ports/retry-tallies.ts';
import { createRetryWatch } from '../../../lib/replication/retry-watch.ts';
import { createRecordingLogger, createSteppingClock, NOW_MS } from '../../helpers/rule-path.ts';

const NEVER = 0;
const THREE: RetryOption = { preset: 'custom', maxTries: 3, firstWaitSeconds: 10, longestWaitSeconds: 40 };
const error = new BrokerUnavailableError('no', { code: 'TARGET_ERROR' });

/** Processes that share a table. */
function setUp(tallies: RetryTallies = createMemoryRetryTallies()) {
  const clock = createSteppingClock();
  const logger = createRecordingLogger();
  let reads = 0;
  const counting: RetryTallies = {
    ...tallies,
    async get(taskId, messageId) {
      reads += 1;
      return tallies.get(taskId, messageId);
    },
  };
  const policy = retryPolicyOf(THREE);
  if (policy === undefined) throw new TypeError('no policy');
  return {
    clock,
    logger,
    reads: () => reads,
    /** A process: it forgets when another takes its place. */
    process() {
      const watch = createRetryWatch({ tallies: counting, clock, logger, random: () => 0.5 });
      return (takenAtMs: number, messageId = 'm') => {
        // Each time is another message.
        const taken = { atMs: takenAtMs, count: takenAtMs };
        return watch({ taskId: 't', messageId, policy, error, taken, firstSeenAtMs: NOW_MS - 10 });
      };
    },
  };
}

describe('createRetryWatch', () => {
  it('counts a failure behind one that the target has taken another message after', async () => {
    const { clock, process } = setUp();
    const fails = process();
    expect(await fails(clock.now())).toEqual({ kind: 'uncounted' });
    const verdicts = [];
    for (let tries = 0; tries < 3; tries += 1) {
      clock.step(1_000);
      const takenAtMs = clock.now();
      clock.step(1_000);
      verdicts.push(await fails(takenAtMs));
    }
    expect(verdicts).toMatchObject([
      { kind: 'again', waitMs: 10_000 },
      { kind: 'again', waitMs: 20_000 },
      { kind: 'give-up', error: { code: 'RETRIES_EXHAUSTED', tries: 3, lastCode: 'TARGET_ERROR' } },
    ]);
  });

  it('counts nothing of an outage, and does not even read the table', async () => {
    const { clock, process, reads } = setUp();
    const fails = process();
    for (const lastTakenAtMs of [NEVER, NOW_MS - 60_000]) {
      for (let tries = 0; tries < 500; tries += 1) {
        clock.step(30_000);
        expect(await fails(lastTakenAtMs)).toEqual({ kind: 'uncounted' });
      }
    }
    expect(reads()).toBe(0);
  });

  it('counts one taken message once: the next failure needs the next one', async () => {
    const { clock, process } = setUp();
    const fails = process();
    await fails(NEVER);
    clock.step(1_000);
    const takenAtMs = clock.now();
    clock.step(1_000);
    expect(await fails(takenAtMs)).toMatchObject({ kind: 'again' });
    clock.step(1_000);
    expect(await fails(takenAtMs)).toEqual({ kind: 'uncounted' });
  });

  it('goes on with what another process has counted', async () => {
    const { clock, process } = setUp();
    const first = process();
    await first(NEVER);
    clock.step(1_000);
    await first(clock.now() - 1);
    const second = process();
    clock.step(60_000);
    expect(await second(clock.now() - 1)).toMatchObject({ kind: 'again', waitMs: 20_000 });
    const third = process();
    clock.step(60_000);
    expect(await third(clock.now() - 1)).toMatchObject({ kind: 'give-up' });
  });

  it('knows the order of what happens within a millisecond', async () => {
    const { clock, logger } = setUp();
    const policy = retryPolicyOf(THREE);
    if (policy === undefined) throw new TypeError('no policy');
    const watch = createRetryWatch({ tallies: createMemoryRetryTallies(), clock, logger });
    const failed = { taskId: 't', messageId: 'm', policy, error, firstSeenAtMs: 0 };
    const atMs = clock.now();
    expect(await watch({ ...failed, taken: { atMs, count: 1 } })).toEqual({ kind: 'uncounted' });
    expect(await watch({ ...failed, taken: { atMs, count: 1 } })).toEqual({ kind: 'uncounted' });
    expect(await watch({ ...failed, taken: { atMs, count: 2 } })).toMatchObject({ kind: 'again' });
    expect(await watch({ ...failed, taken: { atMs, count: 2 } })).toEqual({ kind: 'uncounted' });
    expect(await watch({ ...failed, taken: { atMs, count: 3 } })).toMatchObject({ kind: 'again' });
  });

  it('tells messages apart', async () => {
    const { clock, process } = setUp();
    const fails = process();
    await fails(NEVER, 'a');
    clock.step(1_000);
    const takenAtMs = clock.now() - 1;
    expect(await fails(takenAtMs, 'b')).toEqual({ kind: 'uncounted' });
    expect(await fails(takenAtMs, 'a')).toMatchObject({ kind: 'again' });
  });

  it.each(['get', 'put'] as const)('counts nothing while the table does not answer: %s', async (method) => {
    const broken = { ...createMemoryRetryTallies(), [method]: async () => Promise.reject(new Error('away')) };
    const { clock, logger, process } = setUp(broken);
    const fails = process();
    await fails(NEVER);
    clock.step(1_000);
    expect(await fails(clock.now() - 1)).toEqual({ kind: 'uncounted' });
    expect(logger.lines).toMatchObject([{ level: 'warn', message: 'tries not counted' }]);
  });
});
