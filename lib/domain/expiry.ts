/**
 * What is left of a Message Expiry Interval after the time in transit, in whole seconds begun [MQTT-3.3.2-6]; undefined
 * when nothing is: then the message must not be delivered any more [MQTT-3.3.2-5]. A clock that runs behind counts as no
 * time.
 *
 * @param sinceMs when the interval was as given, epoch milliseconds.
 */
export function remainingExpirySeconds(
  expirySeconds: number,
  sinceMs: number,
  nowMs: number,
): number | undefined {
  const restMs = expirySeconds * 1000 - Math.max(0, nowMs - sinceMs);
  return restMs > 0 ? Math.ceil(restMs / 1000) : undefined;
}

/** Whether a message has become older than a task carries (`options.maxAgeSeconds`; undefined: of any age). */
export function isTooOld(maxAgeSeconds: number | undefined, sinceMs: number, nowMs: number): boolean {
  return maxAgeSeconds !== undefined && nowMs - sinceMs > maxAgeSeconds * 1000;
}
