/** What became of the messages of one pull lane since it was opened. */
export interface PullCounts {
  /** Received for the first time, as the cluster counts. */
  consumed: number;
  replicated: number;
  expired: number;
  loopSkipped: number;
  /** Born before the task wanted to start; neither consumed nor in the identity. */
  skipped: number;
  /** Dead letters, by code. */
  failed: Record<string, number>;
  /** Later receipts, and publishing again. */
  retried: number;
  /** Acknowledged too late: a redelivery is certain. */
  lapsed: number;
  /** Payload bytes of what was replicated. */
  bytes: number;
}

export function newPullCounts(): PullCounts {
  return {
    consumed: 0,
    replicated: 0,
    expired: 0,
    loopSkipped: 0,
    skipped: 0,
    failed: {},
    retried: 0,
    lapsed: 0,
    bytes: 0,
  };
}
