/** What `LatencyConsumer.java` prints, as JSON behind `latencies `, in milliseconds. */
export interface Latencies {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** Where a message carries the nanoseconds at which it was published, by the clock that all processes of a machine share. */
const SENT_AT = 4;

export function stampSent(body: Buffer): Buffer {
  body.writeBigUInt64BE(process.hrtime.bigint(), SENT_AT);
  return body;
}
