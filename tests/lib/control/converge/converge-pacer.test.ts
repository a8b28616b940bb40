import { describe, expect, it, jest } from '@jest/globals';
import { createMemoryRateLimiter } from '../../../../lib/adapters/memory/rate-limiter.ts';
import { createPacer } from '../../../../lib/control/converge/converge-pacer.ts';
import type { RateLimiter } from '../../../../lib/ports/rate-limiter.ts';
import { createJumpingClock } from '../../../helpers/converge-world.ts';

function build() {
  const clock = createJumpingClock(0);
  const limiter = createMemoryRateLimiter(clock);
  return { clock, limiter, paceOf: createPacer({ limiter, clock, random: () => 0.5 }) };
}

describe('createPacer', () => {
  it.each([
    ['iot', 'write', 4],
    ['iot', 'read', 10],
    ['iot', 'list', 1],
    ['lambda', 'write', 8],
  ] as const)('keeps %s %s calls at or below %i a second', async (system, kind, perSecond) => {
    const { clock, paceOf } = build();
    const pace = paceOf(system, 'eu-west-1');
    const times: number[] = [];
    for (let call = 0; call < 30; call += 1) {
      await pace(kind);
      times.push(clock.now());
    }
    for (const [index, time] of times.entries()) {
      const inSecond = times.filter((other, at) => at >= index && other < time + 1_000);
      expect(inSecond.length).toBeLessThanOrEqual(perSecond);
    }
  });

  it('shares one limit among all calls of Lambda, and has one for each region', async () => {
    const { clock, paceOf } = build();
    await paceOf('lambda', 'eu-west-1')('write');
    await paceOf('lambda', 'us-east-1')('write');
    expect(clock.now()).toBe(0);
    await paceOf('lambda', 'eu-west-1')('read');
    expect(clock.now()).toBeGreaterThanOrEqual(125);
  });

  it('comes again later instead of waiting long', async () => {
    const { clock } = build();
    const paceOf = createPacer({ limiter: { take: async () => 6_000 }, clock, random: () => 0 });
    await expect(paceOf('iot', 'eu-west-1')('write')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      reaction: 'not-yet',
      waitMs: 6_000,
    });
    expect(clock.now()).toBe(0);
  });

  it('does not ask for ever when others are always first', async () => {
    const { clock } = build();
    const take = jest.fn<RateLimiter['take']>().mockResolvedValue(10);
    const paceOf = createPacer({ limiter: { take }, clock, random: () => 0 });
    await expect(paceOf('iot', 'eu-west-1')('write')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(take).toHaveBeenCalledTimes(25);
  });
});
