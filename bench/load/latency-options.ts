/** What `latency-process.ts` is told, as JSON in this variable of its environment. */
export const LATENCY_VARIABLE = 'MQFERRY_BENCH_LATENCY';

export interface LatencyOptions {
  rocketmq: { endpoint: string; nameServer: string };
  rocketmqTopic: string;
  /** The first, in which everything is cold, do not count. */
  skip: number;
  /** It ends when it has received so many different ones beside those. */
  messages: number;
}

/** What it prints, as JSON behind `latencies `, in milliseconds. */
export interface Latencies {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** Where a message carries the nanoseconds at which it was published, by the clock that all processes share. */
const SENT_AT = 4;

export function stampSent(body: Buffer): Buffer {
  body.writeBigUInt64BE(process.hrtime.bigint(), SENT_AT);
  return body;
}

export function millisecondsSince(body: Buffer): number {
  return Number(process.hrtime.bigint() - body.readBigUInt64BE(SENT_AT)) / 1e6;
}
