import { BridgeError } from '../../domain/errors/errors.ts';
import { expiresAtMs } from '../../domain/messages/expiry.ts';
import { loopReason } from '../../domain/messages/loop-guard.ts';
import type { MqttToRocketmqDefinition } from '../../domain/tasks/task.ts';
import { createTopicMatcher, type TopicMatcher } from '../../domain/topics/topic-filter.ts';
import { takePath } from '../../mapping/provenance.ts';
import type { SessionDelivery } from '../../ports/mqtt-session.ts';
import type { CompiledTask } from '../compiled-tasks.ts';
import { toOverflowGroup } from './overflow-record.ts';
import type { LaneItem } from './session-item.ts';

export type SessionSkip = 'filtered' | 'loopSkipped' | 'overlap';

/** Where a delivery goes: exactly one of these is called for each. */
export interface IntakeWays {
  skip(delivery: SessionDelivery, reason: SessionSkip): void;
  deadLetter(item: LaneItem, error: BridgeError): void;
  /** Ready to be sent. */
  send(item: LaneItem): void;
  /** To the task's queue, unmapped. `fault`: our own code could not map it. */
  buffer(item: LaneItem, fault?: unknown): void;
}

export interface IntakeOptions {
  taskId: string;
  definition: MqttToRocketmqDefinition;
  compiled: CompiledTask;
  /** Index in the definition for each subscribed filter. */
  filterIndexes: readonly number[];
  /** Whether a copy that came by another filter than the lowest matching one may be left out. */
  dropsOverlap(): boolean;
  /** Paused: everything goes to the task's queue, and through the mapping when it leaves it. */
  isBuffering: boolean;
  isOrdered: boolean;
  /** `mqferry_id` of a delivery. */
  messageId(delivery: SessionDelivery): string;
  ways: IntakeWays;
}

/**
 * Decides what a delivery is, by the message and the task alone. The filters are asked again: the session may still bring
 * what an earlier definition subscribed to. Never throws.
 */
export function createSessionIntake(options: IntakeOptions): (delivery: SessionDelivery) => void {
  const { compiled, definition, ways, isBuffering } = options;
  const { maxAgeSeconds, retained } = definition.options;
  const matchers = definition.source.topicFilters.map((filter) => createTopicMatcher(filter, 'mqtt'));

  function skipReason(delivery: SessionDelivery, filterIndex: number | undefined): SessionSkip | undefined {
    const { topicName } = delivery.message;
    const selected = compiled.selectRule(topicName);
    if (selected === undefined) return 'filtered';
    if (delivery.isRetained && retained === 'never') return 'filtered';
    const isCopy =
      options.dropsOverlap() && isOverlap(filterIndex, selected, matchers, delivery.message.topicName);
    return isCopy ? 'overlap' : undefined;
  }

  function itemOf(delivery: SessionDelivery, filterIndex: number | undefined): LaneItem {
    const { path, userProperties } = takePath(delivery.message.userProperties);
    const { receivedAtMs, message } = delivery;
    return {
      delivery,
      source: path.length === 0 ? message : { ...message, userProperties },
      provenance: {
        messageId: options.messageId(delivery),
        path,
        receiptTimeMs: receivedAtMs,
        sendTimeMs: receivedAtMs,
        // Who was given it before may have sent it.
        ...(delivery.isDuplicate && { isResent: true }),
      },
      ...(filterIndex === undefined ? {} : { filterIndex }),
      // Where mapping fails the topic is what keeps together what belongs together.
      groupKey: options.isOrdered ? toOverflowGroup(message.topicName) : '',
      expiresAtMs: expiresAtMs(message, receivedAtMs, maxAgeSeconds),
      isSettled: false,
    };
  }

  function map(item: LaneItem): void {
    try {
      const message = compiled.mapper(item.source, item.provenance);
      const groupKey = options.isOrdered ? toOverflowGroup(message.messageGroup ?? '') : '';
      const mapped = { ...item, message, groupKey };
      if (isBuffering) ways.buffer(mapped);
      else ways.send(mapped);
    } catch (error) {
      unmappable(item, error);
    }
  }

  function unmappable(item: LaneItem, error: unknown): void {
    // A pause is there to repair a mapping: what it cannot map now waits for the mapping of the moment it leaves the queue.
    if (isBuffering) ways.buffer(item);
    else if (error instanceof BridgeError && error.reaction === 'dead-letter') ways.deadLetter(item, error);
    else ways.buffer(item, error);
  }

  return (delivery) => {
    const filterIndex =
      delivery.filterIndex === undefined ? undefined : options.filterIndexes[delivery.filterIndex];
    const skipped = skipReason(delivery, filterIndex);
    if (skipped !== undefined) return ways.skip(delivery, skipped);
    const item = itemOf(delivery, filterIndex);
    if (loopReason(item.provenance.path, options.taskId, compiled.maxHops) !== undefined) {
      return ways.skip(delivery, 'loopSkipped');
    }
    // Without order nothing of the mapping is needed yet.
    if (isBuffering && !options.isOrdered) ways.buffer(item);
    else map(item);
  };
}

/** One subscription identifier per filter: the copy of the lowest matching filter counts, the others are left out. */
function isOverlap(
  filterIndex: number | undefined,
  selected: number,
  matchers: readonly TopicMatcher[],
  topicName: string,
): boolean {
  if (filterIndex === undefined || filterIndex <= selected) return false;
  // An identifier of an earlier definition may stand for another filter now: then this is no copy.
  return matchers[filterIndex]?.(topicName) === true;
}
