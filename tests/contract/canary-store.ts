import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CanaryStore } from '../../lib/ports/canary-store.ts';

const NOW_MS = Date.UTC(2026, 10, 23);
const FIRST = { token: 'abc', sinceMs: NOW_MS, sentAtMs: NOW_MS };

/** What every store of canaries promises. */
export function describeCanaryStore(name: string, build: () => Promise<CanaryStore>): void {
  describe(`CanaryStore, ${name}`, () => {
    let canaries: CanaryStore;
    beforeEach(async () => {
      canaries = await build();
    });

    it('knows nothing of a task that never had one, and keeps nothing that came of it', async () => {
      await canaries.came('task', { sentAtMs: NOW_MS });
      expect(await canaries.get('task')).toBeUndefined();
    });

    it('keeps the first token, the last times, and what came', async () => {
      expect(await canaries.sending('task', FIRST)).toEqual(FIRST);
      await canaries.came('task', { sentAtMs: NOW_MS });
      const next = { token: 'other', sinceMs: NOW_MS + 1, sentAtMs: NOW_MS + 60_000 };
      const known = { ...next, token: 'abc', cameSentAtMs: NOW_MS };
      expect(await canaries.sending('task', next)).toEqual(known);
      expect(await canaries.get('task')).toEqual(known);
      expect(await canaries.get('another')).toBeUndefined();
    });

    it('tells of the last that came how it fared, whatever comes late', async () => {
      const failure = { code: 'TARGET_TIMEOUT', message: 'no answer', hint: 'look' };
      await canaries.sending('task', FIRST);
      await canaries.came('task', { sentAtMs: NOW_MS + 60_000, failure });
      await canaries.came('task', { sentAtMs: NOW_MS });
      expect(await canaries.get('task')).toEqual({ ...FIRST, cameSentAtMs: NOW_MS + 60_000, failure });
      await canaries.came('task', { sentAtMs: NOW_MS + 120_000 });
      expect(await canaries.get('task')).toEqual({ ...FIRST, cameSentAtMs: NOW_MS + 120_000 });
    });
  });
}
