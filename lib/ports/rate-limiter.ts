/**
 * Rate limits shared by all invocations, per account and region: AWS IoT takes 5 rule calls a second and Lambda 15
 * control calls; we stay at 4 and 8.
 */
export interface RateLimiter {
  /**
   * 0: go. Otherwise the milliseconds after which to ask again; nothing was taken. Calls are spaced evenly, so that no
   * second ever sees more than the rate.
   */
  take(bucket: string, ratePerSecond: number): Promise<number>;
}
