export interface VisibilityChange {
  receiptHandle: string;
  /** From now on, 0 to 43,200. */
  visibilityTimeoutSeconds: number;
}

/**
 * When records that were given back come again (SQS).
 *
 * @example
 * const changed = await visibility.change(queueArn, [{ receiptHandle, visibilityTimeoutSeconds: 3 }]);
 */
export interface Visibility {
  /**
   * One boolean per change, in order: true = taken. Never throws for what the queue refused or did not answer: such a
   * record comes again when its present visibility timeout has passed, later but surely.
   */
  change(queueArn: string, changes: readonly VisibilityChange[]): Promise<boolean[]>;
}
