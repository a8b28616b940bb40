import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPace } from '../../../../lib/adapters/aws-iot/pace.ts';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';

const FAR = 3_600_000;

describe('createPace', () => {
  it('gives no more turns in any second than the rate, beyond a tenth of a second of burst', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 60 }),
        async (ratePerSecond, gaps) => {
          const clock = createManualClock(1_000_000);
          const pace = createPace({ clock, ratePerSecond, maxInFlight: 1_000 });
          const turns: number[] = [];
          for (const gapMs of gaps) {
            await clock.advance(gapMs);
            void pace.turn(clock.now() + FAR).then(() => turns.push(clock.now()));
          }
          await clock.advance(FAR);
          expect(turns).toHaveLength(gaps.length);
          for (const start of turns) {
            const inSecond = turns.filter((at) => at >= start && at < start + 1_000).length;
            expect(inSecond).toBeLessThanOrEqual(Math.ceil(ratePerSecond * 1.1) + 1);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('lets so many be under way at once, and hands places on in the order of asking', async () => {
    const clock = createManualClock();
    const pace = createPace({ clock, ratePerSecond: 1_000_000, maxInFlight: 2 });
    const order: string[] = [];
    const ask = (name: string) =>
      pace.turn(clock.now() + FAR).then((done) => {
        order.push(name);
        return done;
      });
    const [first] = await Promise.all([ask('a'), ask('b')]);
    const [third, fourth] = [ask('c'), ask('d')];
    await clock.advance(1);
    expect(order).toEqual(['a', 'b']);
    first?.();
    const third_ = await third;
    expect(order).toEqual(['a', 'b', 'c']);
    third_?.();
    await fourth;
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives no turn after the deadline, whether for want of a place or of the rate, and loses none', async () => {
    const clock = createManualClock();
    const pace = createPace({ clock, ratePerSecond: 1, maxInFlight: 2 });
    const first = await pace.turn(clock.now() + FAR);
    expect(await pace.turn(clock.now() + 500)).toBeUndefined();
    const second = pace.turn(clock.now() + FAR);
    await clock.advance(1_000);
    const done = await second;
    const late = pace.turn(clock.now() + 500);
    await clock.advance(500);
    expect(await late).toBeUndefined();
    first?.();
    done?.();
    const third = pace.turn(clock.now() + FAR);
    await clock.advance(1_000);
    expect(await third).toEqual(expect.any(Function));
  });
});
