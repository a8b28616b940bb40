import type { MqttMessage } from '../domain/message.ts';

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
