/** Empties the stack's bucket, which CloudFormation deletes only when nothing is in it. */
export interface BucketCleaner {
  /** Deletes every object until the time is up. Answers whether the bucket is empty (or gone). */
  empty(deadlineMs: number): Promise<boolean>;
}
