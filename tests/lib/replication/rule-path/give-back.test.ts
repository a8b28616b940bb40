import { describe, expect, it } from '@jest/globals';
import { createMemoryVisibility } from '../../../../lib/adapters/memory/visibility.ts';
import type { Visibility } from '../../../../lib/ports/visibility.ts';
import { giveBack } from '../../../../lib/replication/rule-path/give-back.ts';
import {
  createRecordingLogger,
  createSteppingClock,
  NOW_MS,
  QUEUE_ARN,
  sourceRecord,
} from '../../../helpers/rule-path.ts';

const options = (visibility: Visibility, deadlineMs = NOW_MS + 10_000) => ({
  visibility,
  clock: createSteppingClock(),
  logger: createRecordingLogger(),
  deadlineMs,
  random: () => 0,
});
const given = (waitMs: number, firstReceiveTimeMs = NOW_MS) => ({
  record: sourceRecord({}, { firstReceiveTimeMs }),
  code: 'TARGET_UNAVAILABLE',
  waitMs,
});

describe('giveBack', () => {
  it('sets when each record comes again', async () => {
    const visibility = createMemoryVisibility();
    const records = [given(0), given(7_500), given(0, NOW_MS - 3_600_000)];
    await giveBack(QUEUE_ARN, records, options(visibility));
    expect(visibility.changes).toEqual(
      [1, 8, 30].map((visibilityTimeoutSeconds, index) => ({
        queueArn: QUEUE_ARN,
        receiptHandle: records[index]?.record.receiptHandle,
        visibilityTimeoutSeconds,
      })),
    );
  });

  it('asks nothing of the queue when nothing is given back', async () => {
    const change = async () => {
      throw new Error('asked');
    };
    const given = options({ change });
    await giveBack(QUEUE_ARN, [], given);
    expect(given.logger.lines).toEqual([]);
  });

  it('goes on when the queue throws, or does not answer in the time that is left', async () => {
    const throwing = options({ change: async () => Promise.reject(new Error('queue away')) });
    await giveBack(QUEUE_ARN, [given(0)], throwing);
    expect(throwing.logger.lines).toMatchObject([{ level: 'warn', fields: { records: 1 } }]);
    await giveBack(QUEUE_ARN, [given(0)], options({ change: () => new Promise(() => {}) }, NOW_MS + 510));
  });
});
