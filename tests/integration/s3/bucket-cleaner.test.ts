import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createS3BucketCleaner } from '../../../lib/adapters/s3/bucket-cleaner.ts';
import { systemClock as clock } from '../../../lib/adapters/system/clock.ts';
import { emulatorConfig } from '../../helpers/aws-emulator.ts';

const s3 = new S3Client(emulatorConfig());
afterAll(() => s3.destroy());

describe('createS3BucketCleaner', () => {
  it('empties a bucket, and answers for one that is gone', async () => {
    const bucket = `bucket-${randomUUID()}`;
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    for (const Key of ['a', 'b/c d', 'b/é'])
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
    const cleaner = createS3BucketCleaner({ s3, bucket, clock });
    expect(await cleaner.empty(clock.now() - 1)).toBe(false);
    expect(await cleaner.empty(clock.now() + 10_000)).toBe(true);
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(KeyCount).toBe(0);
    const none = createS3BucketCleaner({ s3, bucket: `none-${randomUUID()}`, clock });
    expect(await none.empty(clock.now() + 10_000)).toBe(true);
  });
});
