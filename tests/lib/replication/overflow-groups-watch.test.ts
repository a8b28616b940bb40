import { describe, expect, it } from '@jest/globals';
import { monotonicFactory } from 'ulid';
import { createManualClock } from '../../../lib/adapters/memory/clock.ts';
import { createMemoryOverflowGroups } from '../../../lib/adapters/memory/overflow-groups.ts';
import { createOverflowGroupsWatch } from '../../../lib/replication/overflow-groups-watch.ts';
import { createRecordingLogger } from '../../helpers/rule-path.ts';

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
      onDrained: () => undefined,
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
});
