import { beforeEach, describe, expect, it } from '@jest/globals';
import { monotonicFactory } from 'ulid';
import type { OverflowGroups } from '../../lib/ports/overflow-groups.ts';

const NOW_MS = Date.UTC(2026, 10, 23);

/** What every keeper of overflow marks promises. */
export function describeOverflowGroups(name: string, build: () => Promise<OverflowGroups>): void {
  describe(`OverflowGroups, ${name}`, () => {
    const nextId = monotonicFactory();
    let groups: OverflowGroups;
    beforeEach(async () => {
      groups = await build();
    });
    const announce = (groupKey: string, putId: string) =>
      groups.announce('task', [{ groupKey, putId }], NOW_MS);

    it('knows what was announced, of this task only', async () => {
      const [a, b] = [nextId(), nextId()];
      const puts = [
        { groupKey: 'one', putId: a },
        { groupKey: 'two', putId: b },
      ];
      expect(await groups.announce('task', puts, NOW_MS)).toEqual([true, true]);
      expect(await groups.announce('another', [{ groupKey: 'one', putId: b }], NOW_MS)).toEqual([true]);
      const marks = await groups.list('task');
      expect(marks.toSorted((x, y) => (x.groupKey < y.groupKey ? -1 : 1))).toEqual([
        { groupKey: 'one', lastPutId: a },
        { groupKey: 'two', lastPutId: b },
      ]);
      expect(await groups.read('task', ['two', 'three'])).toEqual([{ groupKey: 'two', lastPutId: b }]);
      expect(await groups.list('nobody')).toEqual([]);
    });

    it('moves on only: an older put is refused, the same one may be announced again', async () => {
      const [a, b] = [nextId(), nextId()];
      expect(await announce('one', b)).toEqual([true]);
      expect(await announce('one', a)).toEqual([false]);
      expect(await announce('one', b)).toEqual([true]);
      expect(await groups.read('task', ['one'])).toEqual([{ groupKey: 'one', lastPutId: b }]);
    });

    it('knows how far a group is drained, and does not go back', async () => {
      const [a, b] = [nextId(), nextId()];
      await announce('one', a);
      await announce('one', b);
      await groups.settled('task', 'one', a);
      expect(await groups.read('task', ['one'])).toEqual([
        { groupKey: 'one', lastPutId: b, drainedPutId: a },
      ]);
      await groups.settled('task', 'one', b);
      await groups.settled('task', 'one', b);
      expect(await groups.read('task', ['one'])).toEqual([
        { groupKey: 'one', lastPutId: b, drainedPutId: b },
      ]);
      await groups.settled('task', 'one', a);
      const c = nextId();
      await announce('one', c);
      expect(await groups.read('task', ['one'])).toEqual([
        { groupKey: 'one', lastPutId: c, drainedPutId: b },
      ]);
    });

    it('is not settled by a put that its mark does not know', async () => {
      const [a, b] = [nextId(), nextId()];
      await announce('one', a);
      await groups.settled('task', 'one', b);
      expect(await groups.read('task', ['one'])).toEqual([{ groupKey: 'one', lastPutId: a }]);
    });

    it('makes no mark by settling', async () => {
      await groups.settled('task', 'one', nextId());
      expect(await groups.list('task')).toEqual([]);
    });

    it('forgets a group only when its last put is settled', async () => {
      const [a, b] = [nextId(), nextId()];
      await announce('one', a);
      expect(await groups.forget('task', 'one', a)).toBe(false);
      await groups.settled('task', 'one', a);
      await announce('one', b);
      expect(await groups.forget('task', 'one', a)).toBe(false);
      expect(await groups.forget('task', 'one', b)).toBe(false);
      await groups.settled('task', 'one', b);
      expect(await groups.forget('task', 'one', b)).toBe(true);
      expect(await groups.list('task')).toEqual([]);
      expect(await groups.forget('task', 'one', b)).toBe(false);
    });

    it('abandons a group whose last put was never settled, and no later one', async () => {
      const [a, b] = [nextId(), nextId()];
      await announce('one', b);
      await groups.abandon('task', 'one', a);
      expect(await groups.list('task')).toHaveLength(1);
      await groups.abandon('task', 'one', b);
      await groups.abandon('task', 'one', b);
      expect(await groups.list('task')).toEqual([]);
    });

    it('takes and reads more groups than one request holds', async () => {
      const puts = Array.from({ length: 230 }, (_, index) => ({
        groupKey: `group ${index}`,
        putId: nextId(),
      }));
      expect(await groups.announce('task', puts, NOW_MS)).toEqual(puts.map(() => true));
      expect(await groups.list('task')).toHaveLength(230);
      const marks = await groups.read(
        'task',
        puts.map(({ groupKey }) => groupKey),
      );
      expect(new Map(marks.map(({ groupKey, lastPutId }) => [groupKey, lastPutId]))).toEqual(
        new Map(puts.map(({ groupKey, putId }) => [groupKey, putId])),
      );
    });
  });
}
