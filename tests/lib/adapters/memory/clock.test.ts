import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';

describe('createManualClock', () => {
  it('stands still until it is turned', async () => {
    const clock = createManualClock(1_000);
    expect(clock.now()).toBe(1_000);
    await clock.advance(500);
    expect(clock.now()).toBe(1_500);
  });

  it('wakes sleepers in the order of their time, each at its time, also those who fall asleep on the way', async () => {
    const clock = createManualClock(0);
    const woken: [string, number][] = [];
    const sleepy = async (name: string, ...naps: number[]) => {
      for (const ms of naps) {
        await clock.sleep(ms);
        woken.push([name, clock.now()]);
      }
    };
    const all = Promise.all([sleepy('late', 30), sleepy('twice', 10, 15), sleepy('never', 1_000)]);
    await clock.whenSleeping(3);
    await clock.advance(40);
    expect(woken).toEqual([
      ['twice', 10],
      ['twice', 25],
      ['late', 30],
    ]);
    expect(clock.sleepers).toBe(1);
    await clock.advance(1_000);
    await all;
  });

  it('rejects a sleep with the reason of its signal, before or while sleeping', async () => {
    const clock = createManualClock(0);
    const reason = new Error('no more');
    await expect(clock.sleep(1, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = clock.sleep(1, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(clock.sleepers).toBe(0);
  });
});
