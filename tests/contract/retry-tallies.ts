import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RetryTallies } from '../../lib/ports/retry-tallies.ts';

const NOW_MS = Date.UTC(2026, 10, 23);
const TALLY = { tries: 1, ageMs: 12_000, firstAtMs: NOW_MS - 12_000, lastAtMs: NOW_MS };

/** What every keeper of tallies promises. */
export function describeRetryTallies(name: string, build: () => Promise<RetryTallies>): void {
  describe(`RetryTallies, ${name}`, () => {
    let tallies: RetryTallies;
    beforeEach(async () => {
      tallies = await build();
    });

    it('knows nothing of a message that was never counted', async () => {
      expect(await tallies.get('task', 'message')).toBeUndefined();
    });

    it('answers what was put, of this message of this task only', async () => {
      await tallies.put('task', 'message', TALLY);
      expect(await tallies.get('task', 'message')).toEqual(TALLY);
      expect(await tallies.get('task', 'another')).toBeUndefined();
      expect(await tallies.get('another', 'message')).toBeUndefined();
    });

    it('replaces what was known', async () => {
      await tallies.put('task', 'message', TALLY);
      const next = { ...TALLY, tries: 2, ageMs: 30_000, lastAtMs: NOW_MS + 18_000 };
      await tallies.put('task', 'message', next);
      expect(await tallies.get('task', 'message')).toEqual(next);
    });
  });
}
