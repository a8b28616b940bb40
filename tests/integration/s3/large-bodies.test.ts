import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createS3LargeBodies } from '../../../lib/adapters/s3/large-bodies.ts';
import { emulatorConfig } from '../../helpers/aws-emulator.ts';

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

  it('tells when the bucket is not there', async () => {
    const bodies = createS3LargeBodies({ s3, bucket: `missing-${randomUUID()}` });
    await expect(bodies.put('key', 'body')).rejects.toThrow();
    await expect(bodies.get('key')).rejects.toThrow();
  });
});
