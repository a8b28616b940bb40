import { describe, expect, it } from '@jest/globals';
import { type Counted, newCounted, type TaskCounted } from '../../../../lib/domain/figures/counted.ts';
import { createLaneMeter } from '../../../../lib/replication/figures/lane-meter.ts';
import { createPullTally } from '../../../../lib/replication/pull-path/pull-counts.ts';
import { createLaneTally } from '../../../../lib/replication/session-path/session-counts.ts';
import { createRecordingLogger } from '../../../helpers/rule-path.ts';

function setUp() {
  const reports: TaskCounted[][] = [];
  const meter = createLaneMeter((_message, tasks) => reports.push([...tasks]));
  return { meter, reports };
}

/** A lane that counts, and forgets what was taken. */
function countingLane() {
  let counts = newCounted();
  return {
    add: (changes: Partial<Counted>) => Object.assign(counts, changes),
    take: () => {
      const taken = counts;
      counts = newCounted();
      return taken;
    },
  };
}

describe('createLaneMeter', () => {
  it('reports the lanes of a task together, each count once, and nothing where nothing was counted', () => {
    const { meter, reports } = setUp();
    const [one, other, idle] = [countingLane(), countingLane(), countingLane()];
    meter.watch({ taskId: 'a', perTask: true }, one.take);
    meter.watch({ taskId: 'a', perTask: true }, other.take);
    meter.watch({ taskId: 'b', perTask: false }, idle.take);
    one.add({ consumed: 2 });
    other.add({ consumed: 3, failed: { X: 1 } });
    meter.flush();
    meter.flush();
    expect(reports).toEqual([
      [{ taskId: 'a', perTask: true, counts: expect.objectContaining({ consumed: 5, failed: { X: 1 } }) }],
    ]);
  });

  it('reports what a lane counted before its end, and asks it no more', () => {
    const { meter, reports } = setUp();
    const lane = countingLane();
    const unwatch = meter.watch({ taskId: 'a', perTask: false }, lane.take);
    lane.add({ consumed: 1 });
    unwatch();
    unwatch();
    lane.add({ consumed: 7 });
    meter.flush();
    expect(reports.flat().map(({ counts }) => counts.consumed)).toEqual([1]);
  });
});

describe('createLaneTally', () => {
  it('tells the log and the metrics each everything, whoever asks first', () => {
    const logger = createRecordingLogger();
    const tally = createLaneTally(
      { taskId: 'a', lane: 0 },
      { logger, figures: () => ({ received: () => undefined }) },
    );
    tally.counts.consumed += 2;
    tally.counts.overlap += 1;
    expect(tally.take()).toMatchObject({ consumed: 2 });
    tally.counts.consumed += 1;
    tally.close(0);
    expect(logger.lines.map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ consumed: 3, overlap: 1 }),
    ]);
    expect(tally.take()).toMatchObject({ consumed: 1 });
    tally.close(0);
    expect(logger.lines).toHaveLength(1);
  });
});

describe('createPullTally', () => {
  it('keeps one object to count on, and the sum of all that was taken', () => {
    const tally = createPullTally();
    const { counts } = tally;
    counts.consumed += 2;
    counts.failed.X = 1;
    expect(tally.take()).toMatchObject({ consumed: 2, failed: { X: 1 } });
    counts.consumed += 1;
    counts.skipped += 4;
    expect(tally.take()).toMatchObject({ consumed: 1, skipped: 4, failed: {} });
    counts.failed.X = 1;
    expect(tally.total()).toMatchObject({ consumed: 3, skipped: 4, failed: { X: 2 } });
    expect(tally.take()).toMatchObject({ failed: { X: 1 } });
  });
});
