import type { MqttToRocketmqDefinition } from '../../domain/tasks/task.ts';
import { type TopicDialect, uncoveredFilters } from '../../domain/topics/topic-filter.ts';
import { withShare } from '../../domain/topics/topic-filter-syntax.ts';
import type { LaneMemory } from '../../ports/lane-leases.ts';

/** What a lane's session has to be subscribed to, and how it gets there from what it is subscribed to. */
export interface SubscriptionPlan {
  /** Filters to subscribe: those of the definition that no other one of it covers. */
  topicFilters: readonly string[];
  /** Index in the definition for each of them. */
  filterIndexes: readonly number[];
  shareName?: string;
  /** As subscribed (`$share/…` included): what the session will remember. */
  subscribed: readonly string[];
  /** As subscribed: what it remembers and shall not any more. */
  removedTopicFilters: readonly string[];
  /** The session may be subscribed to something else than what is wanted, or otherwise, or not at all. */
  hasChanged: boolean;
}

/** Several lanes share their subscriptions; one has its own, so that its order holds. */
export function planSubscription(
  taskId: string,
  { source, options }: MqttToRocketmqDefinition,
  { subscribedFilters = [], grantedQos }: LaneMemory,
  dialect: TopicDialect,
): SubscriptionPlan {
  const filterIndexes = uncoveredFilters(source.topicFilters, dialect);
  const topicFilters = filterIndexes.map((index) => source.topicFilters[index] ?? '');
  const shareName = options.lanes > 1 ? taskId : undefined;
  const subscribed = topicFilters.map((topicFilter) => withShare(topicFilter, shareName));
  const removedTopicFilters = subscribedFilters.filter((known) => !subscribed.includes(known));
  return {
    topicFilters,
    filterIndexes,
    ...(shareName === undefined ? {} : { shareName }),
    subscribed,
    removedTopicFilters,
    // The order counts too: a subscription identifier stands for a filter and those before it.
    hasChanged:
      grantedQos !== options.qos || JSON.stringify(subscribed) !== JSON.stringify(subscribedFilters),
  };
}
