import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';

describe('systemClock', () => {
  it('shows the time of the machine', () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('sleeps at least so long', async () => {
    const began = performance.now();
    await systemClock.sleep(20);
    // A timer may fire a millisecond early by this other clock.
    expect(performance.now() - began).toBeGreaterThanOrEqual(19);
  });

  it('wakes with the reason of the signal', async () => {
    const reason = new Error('enough');
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });
});
