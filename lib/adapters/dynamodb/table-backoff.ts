const BASE_MS = 50;
const LONGEST_MS = 400;

/**
 * How long is waited before a refused or lost request is made again: half of 50 ms, 100 ms and so on, on average. The SDK waits for up to
 * a second after a throttled one and twice that after the next, which it means for every service alike; for DynamoDB its earlier generation
 * began with 50 ms, since a table has room again within moments. A batch has seconds for all of its requests, and a lease for its renewal.
 */
export function createTableBackoff(random: () => number = Math.random) {
  return {
    /** What the SDK would begin with, by the kind of error. */
    setDelayBase() {},
    /** @param retries - how many there were before, from 0 on */
    computeNextBackoffDelay: (retries: number) => random() * Math.min(LONGEST_MS, BASE_MS * 2 ** retries),
  };
}
