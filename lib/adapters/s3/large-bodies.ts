import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { LargeBodies } from '../../ports/large-bodies.ts';

const REQUEST_TIMEOUT_MS = 10_000;

const CONTENT_TYPE = 'text/plain; charset=utf-8';

/** Texts as objects of one bucket, whose life-cycle rule ends them so many days after they were written. */
export function createS3LargeBodies({ s3, bucket }: { s3: S3Client; bucket: string }): LargeBodies {
  return {
    async put(key, body) {
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: body,
          ContentType: CONTENT_TYPE,
        }),
        { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
      );
    },
    async get(key) {
      try {
        const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
          abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        });
        return await answer.Body?.transformToString('utf-8');
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    async renew(key) {
      const CopySource = `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
      try {
        await s3.send(
          new CopyObjectCommand({
            ...{ Bucket: bucket, Key: key, CopySource, ContentType: CONTENT_TYPE },
            // S3 refuses to copy an object onto itself as it is.
            MetadataDirective: 'REPLACE',
          }),
          { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
        );
      } catch (error) {
        if (!(error instanceof Error && error.name === 'NoSuchKey')) throw error;
      }
    },
    async remove(key) {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), {
        abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
    },
  };
}
