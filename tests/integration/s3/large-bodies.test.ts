import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createS3LargeBodies } from '../../../lib/adapters/s3/large-bodies.ts';
import { emulatorConfig } from '../../helpers/aws-emulator.ts';
import { eventually } from '../../helpers/eventually.ts';

const s3 = new S3Client(emulatorConfig());
afterAll(() => s3.destroy());

describe('createS3LargeBodies', () => {
  it('keeps a text byte for byte, and knows what it does not have', async () => {
    const bucket = `large-bodies-${randomUUID()}`;
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const bodies = createS3LargeBodies({ s3, bucket });
    const body = `nul\u0000 \u0085 \u{1f50c} ${'ü'.repeat(300_000)}`;
    await bodies.put('dead-letters/task/1', body);
    expect(await bodies.get('dead-letters/task/1')).toBe(body);
    expect(await bodies.get('dead-letters/task/2')).toBeUndefined();
  });

  it('begins the time of a text anew, and makes none of what is not there', async () => {
    const bucket = `large-bodies-${randomUUID()}`;
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const bodies = createS3LargeBodies({ s3, bucket });
    const key = 'dead-letters/task/1 ü';
    await bodies.put(key, 'body');
    const writtenAt = async () =>
      (await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).LastModified;
    const before = Number(await writtenAt());
    await eventually(
      async () => {
        await bodies.renew(key);
        return Number(await writtenAt());
      },
      (at) => at > before,
      { timeoutMs: 5_000, what: 'the object is of a later second' },
    );
    expect(await bodies.get(key)).toBe('body');
    await bodies.renew('dead-letters/task/2');
    expect(await bodies.get('dead-letters/task/2')).toBeUndefined();
  });

  it('tells when the bucket is not there', async () => {
    const bodies = createS3LargeBodies({ s3, bucket: `missing-${randomUUID()}` });
    await expect(bodies.put('key', 'body')).rejects.toThrow();
    await expect(bodies.get('key')).rejects.toThrow();
  });
});
