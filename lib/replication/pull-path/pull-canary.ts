import { type CanaryFailure, canaryFailureOf } from '../../domain/tasks/canary.ts';
import { canaryToMqtt } from '../../mapping/canary.ts';
import type { MqttPublisher } from '../../ports/mqtt-publisher.ts';
import { SAYS_NOTHING } from './pull-settle.ts';

const ANSWER_MS = 4_500;

/**
 * Publishes a canary of the pull path. It enters behind RocketMQ, where each consumer group of the topic would see it: that
 * side is told by the receives.
 *
 * @param maySend - asked just before it leaves
 */
export async function publishCanary(
  { taskId, publisher, maySend }: { taskId: string; publisher: MqttPublisher; maySend(): boolean },
  sentAtMs: number,
): Promise<'through' | 'unknown' | CanaryFailure> {
  const result = await publisher.publish(canaryToMqtt(taskId, sentAtMs), {
    deadlineMs: sentAtMs + ANSWER_MS,
    answerMs: ANSWER_MS,
    maySend,
  });
  if (result.status === 'accepted') return 'through';
  return SAYS_NOTHING.has(result.error.code) ? 'unknown' : canaryFailureOf(result.error);
}
