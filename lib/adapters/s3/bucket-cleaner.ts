import { DeleteObjectsCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { BucketCleaner } from '../../ports/bucket-cleaner.ts';
import type { Clock } from '../../ports/clock.ts';

/** A list answers, and a deletion takes, at most 1,000 objects. */
const PAGE = 1_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Ten million objects: an hour of deletions. */
const MAX_PAGES = 10_000;

/** Empties a bucket without versions. */
export function createS3BucketCleaner({
  s3,
  bucket,
  clock,
}: {
  s3: Pick<S3Client, 'send'>;
  bucket: string;
  clock: Pick<Clock, 'now'>;
}): BucketCleaner {
  const options = () => ({ abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });

  async function firstKeys(): Promise<string[]> {
    try {
      const command = new ListObjectsV2Command({ Bucket: bucket, MaxKeys: PAGE });
      const { Contents = [] } = await s3.send(command, options());
      return Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchBucket') return [];
      throw error;
    }
  }

  return {
    async empty(deadlineMs) {
      for (let page = 0; page < MAX_PAGES && clock.now() < deadlineMs; page += 1) {
        const keys = await firstKeys();
        if (keys.length === 0) return true;
        const { Errors = [] } = await s3.send(
          new DeleteObjectsCommand({
            Bucket: bucket,
            Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) },
          }),
          options(),
        );
        // All refused: the next list would be the same.
        if (Errors.length === keys.length) {
          throw new Error(`emptying bucket ${bucket}: S3 refused every deletion with ${Errors[0]?.Code}`);
        }
      }
      return false;
    },
  };
}
