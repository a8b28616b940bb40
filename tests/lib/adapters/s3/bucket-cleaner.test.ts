import type { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from '@jest/globals';
import { createS3BucketCleaner } from '../../../../lib/adapters/s3/bucket-cleaner.ts';
import { createJumpingClock } from '../../../helpers/converge-world.ts';

/** A bucket of so many objects, of which it never gives up `stuck`. */
function bucketOf(count: number, stuck = 0) {
  const clock = createJumpingClock(0);
  let left = count;
  const send = async (command: { constructor: { name: string } }) => {
    clock.advance(1_000);
    if (command.constructor.name === 'ListObjectsV2Command') {
      return {
        Contents: Array.from({ length: Math.min(1_000, left) }, (_, index) => ({ Key: `k${index}` })),
      };
    }
    left = Math.max(stuck, left - 1_000);
    return { Errors: Array.from({ length: stuck }, () => ({ Code: 'AccessDenied' })) };
  };
  const s3 = { send } as unknown as S3Client;
  return { clock, left: () => left, cleaner: createS3BucketCleaner({ s3, bucket: 'b', clock }) };
}

describe('createS3BucketCleaner', () => {
  it('empties page by page', async () => {
    const { cleaner, left } = bucketOf(2_500);
    expect(await cleaner.empty(60_000)).toBe(true);
    expect(left()).toBe(0);
  });

  it('stops when its time is up, and goes on when it is called again', async () => {
    const { cleaner, clock } = bucketOf(5_000);
    expect(await cleaner.empty(5_000)).toBe(false);
    expect(await cleaner.empty(clock.now() + 60_000)).toBe(true);
  });

  it('breaks when S3 refuses every deletion, instead of trying for ever', async () => {
    await expect(bucketOf(3, 3).cleaner.empty(60_000)).rejects.toThrow(
      'refused every deletion with AccessDenied',
    );
  });
});
