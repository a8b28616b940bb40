import { beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import type { DeadLetter } from '../../lib/domain/dead-letters/dead-letter.ts';
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
      const [old, young] = [deadLetter(5_000), deadLetter(0, { tries: 3, lastCode: 'TARGET_ERROR' })];
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

    it('lists those of one reason, newest first, page by page', async () => {
      const codes = ['A', 'B', 'A', 'AB', 'A'];
      const all = codes.map((code, index) => deadLetter(5_000 - index * 1_000, { code }));
      for (const one of all) await store.put(one);
      const wanted = idsOf(all.filter(({ code }) => code === 'A')).toReversed();
      const first = await store.list(taskId, { limit: 2, code: 'A' });
      expect(idsOf(first.items)).toEqual(wanted.slice(0, 2));
      const cursor = first.nextCursor;
      if (cursor === undefined) throw new Error('there is a next page');
      const second = await store.list(taskId, { limit: 2, code: 'A', cursor });
      expect(idsOf(second.items)).toEqual(wanted.slice(2));
      expect(second.nextCursor).toBeUndefined();
      expect(second.items[0]).not.toHaveProperty('body');
    });

    it.each([undefined, 'A'])(
      'lists those that were first seen within a range of time, of reason %s',
      async (code) => {
        const all = [4_000, 3_000, 2_000, 1_000, 0].map((ageMs) => deadLetter(ageMs, { code: 'A' }));
        for (const one of [...all, deadLetter(2_000, { code: 'B' })]) await store.put(one);
        const of = async (range: { fromMs?: number; toMs?: number }) => {
          const wanted = code === undefined ? { limit: 10, ...range } : { limit: 10, code, ...range };
          const { items } = await store.list(taskId, wanted);
          return items.filter((item) => item.code === 'A').map((item) => NOW_MS - item.firstSeenAtMs);
        };
        expect(await of({ fromMs: NOW_MS - 3_000 })).toEqual([0, 1_000, 2_000, 3_000]);
        expect(await of({ toMs: NOW_MS - 3_000 })).toEqual([4_000]);
        expect(await of({ fromMs: NOW_MS - 3_000, toMs: NOW_MS - 1_000 })).toEqual([2_000, 3_000]);
        expect(await of({ fromMs: NOW_MS, toMs: NOW_MS })).toEqual([]);
        const within = { limit: 1, fromMs: NOW_MS - 3_000, ...(code !== undefined && { code }) };
        const { nextCursor: cursor } = await store.list(taskId, within);
        if (cursor === undefined) throw new Error('there is a next page');
        expect((await store.list(taskId, { ...within, cursor })).items).toHaveLength(1);
        await expect(store.list(taskId, { ...within, fromMs: 0, cursor })).rejects.toMatchObject({
          code: 'CURSOR_INVALID',
        });
      },
    );

    it.each([
      ['all', undefined, [0, 1, 2, 3, 4]],
      ['those of one reason', 'A', [0, 2, 4]],
    ])('reads %s in order, whole, batch by batch', async (_what, code, wanted) => {
      const codes = ['A', 'B', 'A', 'AB', 'A'];
      const all = codes.map((own, index) =>
        deadLetter(5_000 - index * 1_000, { code: own, body: 'x'.repeat(index === 2 ? 250_000 : 10) }),
      );
      for (const one of all.toReversed()) await store.put(one);
      const seen: DeadLetter[] = [];
      let afterId: string | undefined;
      do {
        const batch = await store.read(taskId, {
          limit: 2,
          ...(afterId === undefined ? {} : { afterId }),
          ...(code === undefined ? {} : { code }),
        });
        seen.push(...batch.items);
        afterId = batch.throughId;
      } while (afterId !== undefined);
      expect(seen).toEqual(wanted.map((index) => all[index]));
    });

    it('notes that one failed again, under its new reason', async () => {
      const one = deadLetter(1_000, { code: 'OLD' });
      await store.put({ ...one, tries: 3, lastCode: 'ONCE' });
      const failed = {
        version: 4,
        code: 'NEW',
        reason: 'still',
        failedAtMs: NOW_MS + 5,
        targetTopic: 'other',
      };
      await store.failedAgain(taskId, one.deadLetterId, failed);
      await store.failedAgain(taskId, one.deadLetterId, failed);
      expect(await store.get(taskId, one.deadLetterId)).toEqual({
        ...one,
        ...failed,
        attempts: one.attempts + 2,
        redrives: 2,
      });
      expect((await store.list(taskId, { limit: 5, code: 'OLD' })).items).toEqual([]);
      expect(idsOf((await store.list(taskId, { limit: 5, code: 'NEW' })).items)).toEqual([one.deadLetterId]);
    });

    it('makes none of one that failed again and is gone', async () => {
      const failed = { version: 4, code: 'NEW', reason: 'still', failedAtMs: NOW_MS };
      await store.failedAgain(taskId, ulid(), failed);
      expect(await store.list(taskId, { limit: 5 })).toEqual({ items: [] });
    });

    it.each([10, 250_000])('removes one of %i bytes, and can be asked to twice', async (bytes) => {
      const [gone, stays] = [deadLetter(1_000, { body: 'x'.repeat(bytes) }), deadLetter(0)];
      await store.put(gone);
      await store.put(stays);
      await store.remove(taskId, gone.deadLetterId);
      await store.remove(taskId, gone.deadLetterId);
      expect(await store.get(taskId, gone.deadLetterId)).toBeUndefined();
      expect(idsOf((await store.list(taskId, { limit: 5 })).items)).toEqual([stays.deadLetterId]);
    });

    it('counts them by reason, and knows the oldest', async () => {
      expect(await store.summary(taskId)).toEqual({ byCode: {}, isPartial: false });
      for (const [ageMs, code] of [
        [1_000, 'A'],
        [9_000, 'B'],
        [2_000, 'A'],
      ] as const) {
        await store.put(deadLetter(ageMs, { code }));
      }
      expect(await store.summary(taskId)).toEqual({
        byCode: { A: 2, B: 1 },
        oldestSeenAtMs: NOW_MS - 9_000,
        isPartial: false,
      });
    });

    it('refuses a cursor that is not its own', async () => {
      await expect(store.list(taskId, { limit: 2, cursor: 'bm9uc2Vuc2U' })).rejects.toMatchObject({
        status: 400,
        code: 'CURSOR_INVALID',
      });
    });
  });
}
