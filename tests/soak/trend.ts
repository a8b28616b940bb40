/** One look at a process. */
export interface Sample {
  /** Since the beginning. */
  atMs: number;
  residentMb: number;
  handles: number;
}

const MINUTE_MS = 60_000;

/** What a figure gains in a minute, by least squares; 0 of fewer than two samples. */
export function perMinute(samples: readonly Sample[], figure: (sample: Sample) => number): number {
  const { length } = samples;
  if (length < 2) return 0;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / length;
  const mean = samples.reduce((sum, sample) => sum + figure(sample), 0) / length;
  const covariance = samples.reduce(
    (sum, sample) => sum + (sample.atMs - meanAt) * (figure(sample) - mean),
    0,
  );
  const variance = samples.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  return variance === 0 ? 0 : (covariance / variance) * MINUTE_MS;
}
