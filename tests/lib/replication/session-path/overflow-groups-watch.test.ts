import { describe, expect, it } from '@jest/globals';
import { monotonicFactory } from 'ulid';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemoryOverflowGroups } from '../../../../lib/adapters/memory/overflow-groups.ts';
import { createOverflowGroupsWatch } from '../../../../lib/replication/session-path/overflow-groups-watch.ts';
import { createRecordingLogger, NOW_MS } from '../../../helpers/rule-path.ts';

describe('createOverflowGroupsWatch', () => {
  it('does not take an older answer for the end of a later put', async () => {
    const nextId = monotonicFactory();
    const marks = createMemoryOverflowGroups();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<[]>();
    const watch = createOverflowGroupsWatch({
      taskId: 'task',
      marks: {
        ...marks,
        read: () => {
          asked.resolve();
          return answer.promise;
        },
      },
      clock: createManualClock(),
      logger: createRecordingLogger(),
      onProgress: () => undefined,
      onOver: () => undefined,
    });
    const put = async () => {
      watch.add('one');
      await watch.announce(new Map([['one', nextId()]]));
      watch.done('one');
    };
    await put();
    watch.poll();
    await asked.promise;
    await put();
    // Read before the second put was announced, when an earlier owner's mark had been ended.
    answer.resolve([]);
    await watch.underWay;
    expect(watch.holds('one')).toBe(true);
  });

  async function watched(groupKeys: readonly string[]) {
    const nextId = monotonicFactory();
    const clock = createManualClock(NOW_MS);
    const marks = createMemoryOverflowGroups();
    const asked: string[][] = [];
    const progress: number[] = [];
    const over: string[] = [];
    const { read } = marks;
    marks.read = (taskId, keys) => {
      asked.push([...keys]);
      return read(taskId, keys);
    };
    const watch = createOverflowGroupsWatch({
      taskId: 'task',
      marks,
      clock,
      logger: createRecordingLogger(),
      onProgress: (sinceMs) => progress.push(sinceMs),
      onOver: (groupKey) => over.push(groupKey),
    });
    async function put(groupKey: string): Promise<string> {
      const putId = nextId(clock.now());
      watch.add(groupKey);
      await watch.announce(new Map([[groupKey, putId]]));
      watch.done(groupKey);
      return putId;
    }
    const poll = async (urgent?: readonly string[]) => {
      watch.poll(urgent);
      await watch.underWay;
    };
    const ids: string[] = [];
    for (const groupKey of groupKeys) ids.push(await put(groupKey));
    return { clock, marks, asked, progress, over, watch, put, poll, ids };
  }

  it('asks after urgent groups ten times a second, after all once', async () => {
    const { clock, asked, poll } = await watched(['one', 'two', 'three']);
    await poll();
    expect(asked.splice(0)).toEqual([['one', 'two', 'three']]);
    for (let passedMs = 50; passedMs < 1_000; passedMs += 50) {
      await clock.advance(50);
      await poll(['two']);
    }
    expect(asked.splice(0)).toEqual(Array.from({ length: 10 }, () => ['two']));
    await clock.advance(100);
    await poll(['two']);
    expect(asked).toEqual([['two', 'one', 'three']]);
  });

  it('asks after no more than 100 urgent groups at a time', async () => {
    const groupKeys = Array.from({ length: 150 }, (_, index) => `${index}`);
    const { clock, asked, poll } = await watched(groupKeys);
    await poll();
    await clock.advance(100);
    await poll(groupKeys.toReversed());
    expect(asked.map(({ length }) => length)).toEqual([150, 100]);
    expect(asked.at(-1)?.[0]).toBe('149');
  });

  it('tells what the batching function has settled, and how far it is behind', async () => {
    const { clock, marks, progress, over, watch, put, poll, ids } = await watched(['one']);
    await clock.advance(700);
    await put('one');
    await poll();
    expect(progress).toEqual([]);
    expect(watch.lagMs('one')).toBe(Number.POSITIVE_INFINITY);
    await marks.settled('task', 'one', ids[0] ?? '');
    await clock.advance(1_000);
    await poll();
    // After the look before, at the earliest.
    expect(progress).toEqual([NOW_MS + 700]);
    expect(watch.lagMs('one')).toBe(700);
    await clock.advance(1_000);
    await poll();
    expect(progress).toHaveLength(1);
    expect(over).toEqual([]);
  });

  it('ends a group that is drained, once nothing of it is about to be put', async () => {
    const { clock, marks, over, watch, poll, ids } = await watched(['one', 'two']);
    await marks.settled('task', 'one', ids[0] ?? '');
    await marks.settled('task', 'two', ids[1] ?? '');
    watch.add('two');
    await poll();
    expect(over).toEqual(['one']);
    expect(watch.holds('one')).toBe(false);
    expect(await marks.list('task')).toMatchObject([{ groupKey: 'two' }]);
    watch.done('two');
    await clock.advance(1_000);
    await poll();
    expect(over).toEqual(['one', 'two']);
    expect(await marks.list('task')).toEqual([]);
  });

  it('learns from earlier owners how far the queue is, and takes that for no news', async () => {
    const { marks, clock, progress, ids } = await watched(['one']);
    await marks.settled('task', 'one', ids[0] ?? '');
    await marks.announce('task', [{ groupKey: 'one', putId: monotonicFactory()(NOW_MS + 400) }], NOW_MS);
    const heir = createOverflowGroupsWatch({
      taskId: 'task',
      marks,
      clock,
      logger: createRecordingLogger(),
      onProgress: (sinceMs) => progress.push(sinceMs),
      onOver: () => undefined,
    });
    await heir.load();
    expect(heir.lagMs('one')).toBe(400);
    heir.poll();
    await heir.underWay;
    expect(progress).toEqual([]);
  });
});
