import type { MqttMessage } from './message.ts';

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

/**
 * Epoch ms from which a message is dropped as expired instead of sent: its own expiry [MQTT-3.3.2-6] and the task's
 * `maxAgeSeconds` both count from its receipt. Infinite when it has neither.
 */
export function expiresAtMs(
  { expirySeconds }: Pick<MqttMessage, 'expirySeconds'>,
  receivedAtMs: number,
  maxAgeSeconds: number | undefined,
): number {
  const seconds = Math.min(
    expirySeconds ?? Number.POSITIVE_INFINITY,
    maxAgeSeconds ?? Number.POSITIVE_INFINITY,
  );
  return receivedAtMs + seconds * 1_000;
}
