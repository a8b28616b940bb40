/** The last time in ISO 8601 with four digits of year, which is what a schema of ours and most readers know. */
const MAX_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Epoch milliseconds, as somebody else's clock may have told them, in ISO 8601, UTC. Never throws: what cannot be said is the
 * nearest time that can.
 */
export function isoTime(timeMs: number): string {
  return new Date(Math.min(Math.max(0, timeMs || 0), MAX_TIME_MS)).toISOString();
}
