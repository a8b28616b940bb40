import { beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import type { DeadLetter } from '../../lib/domain/dead-letter.ts';
import type { DeadLetterStore } from '../../lib/ports/dead-letter-store.ts';

const NOW_MS = 1_790_000_000_000;

/** What every dead-letter store promises. */
export function describeDeadLetterStore(name: string, build: () => Promise<DeadLetterStore>): void {
  describe(`DeadLetterStore, ${name}`, () => {
    let store: DeadLetterStore;
    let taskId: string;
    const deadLetter = (ageMs: number, changes: Partial<DeadLetter> = {}): DeadLetter => ({
      deadLetterId: ulid(NOW_MS - ageMs),
      taskId,
      origin: 'forward',
      version: 3,
      code: 'UNMAPPABLE',
      reason: 'a value is missing',
      body: '{"v":1}',
      attempts: 2,
      firstSeenAtMs: NOW_MS - ageMs,
      failedAtMs: NOW_MS,
      storedAtMs: NOW_MS + 1,
      ...changes,
    });
    const idsOf = (items: readonly { deadLetterId: string }[]) => items.map((item) => item.deadLetterId);

    beforeEach(async () => {
      store = await build();
      taskId = ulid();
    });

    it.each([
      ['an empty body', ''],
      ['a small body', '{"p":"b2ZmbGluZQ=="}'],
      ['odd characters', 'nul\u0000 \u0085 \u{1f50c} \ufffe'],
      ['a body as large as a message can be', 'ü'.repeat(400_000)],
    ])('keeps %s whole', async (_what, body) => {
      const kept = deadLetter(0, { body });
      await store.put(kept);
      expect(await store.get(taskId, kept.deadLetterId)).toEqual(kept);
    });

    it('keeps the first copy of a dead letter that comes twice', async () => {
      const first = deadLetter(0);
      await store.put(first);
      await store.put({ ...first, attempts: 9, storedAtMs: NOW_MS + 99 });
      expect(await store.get(taskId, first.deadLetterId)).toEqual(first);
      expect((await store.list(taskId, { limit: 10 })).items).toHaveLength(1);
    });

    it('knows what it does not have', async () => {
      await store.put(deadLetter(0));
      expect(await store.get(taskId, ulid())).toBeUndefined();
      expect(await store.get(ulid(), deadLetter(0).deadLetterId)).toBeUndefined();
      expect(await store.list(ulid(), { limit: 10 })).toEqual({ items: [] });
    });

    it('lists newest first, without bodies', async () => {
      const [old, young] = [deadLetter(5_000), deadLetter(0)];
      await store.put(young);
      await store.put(old);
      const { items, nextCursor } = await store.list(taskId, { limit: 10 });
      expect(items).toEqual([young, old].map(({ body: _, ...head }) => head));
      expect(nextCursor).toBeUndefined();
    });

    it('lists page by page, each dead letter once', async () => {
      const all = [4_000, 3_000, 2_000, 1_000, 0].map((ageMs) =>
        deadLetter(ageMs, { body: 'x'.repeat(150_000) }),
      );
      for (const one of all) await store.put(one);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list(taskId, cursor === undefined ? { limit: 2 } : { limit: 2, cursor });
        expect(page.items.length).toBeLessThanOrEqual(2);
        seen.push(...idsOf(page.items));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(idsOf(all).toReversed());
    });

    it('refuses a cursor that is not its own', async () => {
      await expect(store.list(taskId, { limit: 2, cursor: 'bm9uc2Vuc2U' })).rejects.toMatchObject({
        status: 400,
        code: 'CURSOR_INVALID',
      });
    });
  });
}
