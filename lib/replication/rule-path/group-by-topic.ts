import type { Outgoing } from './send-topic.ts';

/** Messages by their rendered topic, in the order in which they came: one topic may be away, and the others go on. */
export function groupByTopic(outgoing: readonly Outgoing[]): Map<string, Outgoing[]> {
  return Map.groupBy(outgoing, ({ message }) => message.rocketmqTopic);
}
