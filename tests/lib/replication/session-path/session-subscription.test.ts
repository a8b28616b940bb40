import { describe, expect, it } from '@jest/globals';
import type { MqttToRocketmqDefinition } from '../../../../lib/domain/tasks/task.ts';
import { planSubscription } from '../../../../lib/replication/session-path/session-subscription.ts';
import { sessionTask } from '../../../helpers/session-lane.ts';

const definitionOf = (topicFilters: string[], lanes = 1) =>
  sessionTask({ source: { clusterId: 'factory', topicFilters }, options: { lanes } })
    .definition as MqttToRocketmqDefinition;

describe('planSubscription', () => {
  it('leaves out filters that others cover, and knows the place of the rest', () => {
    expect(planSubscription('task', definitionOf(['a/b', 'a/#', 'c']), {}, 'mqtt')).toEqual({
      topicFilters: ['a/#', 'c'],
      filterIndexes: [1, 2],
      subscribed: ['a/#', 'c'],
      removedTopicFilters: [],
      hasChanged: true,
    });
  });

  it('changes nothing where the session is subscribed to just that', () => {
    const memory = { subscribedFilters: ['a', 'b'], grantedQos: 1 as const };
    expect(planSubscription('task', definitionOf(['a', 'b']), memory, 'mqtt')).toMatchObject({
      hasChanged: false,
    });
    expect(planSubscription('task', definitionOf(['b', 'a']), memory, 'mqtt')).toMatchObject({
      hasChanged: true,
      removedTopicFilters: [],
    });
  });

  it('subscribes anew where the QoS is another one, and where nobody knows what was granted', () => {
    for (const granted of [{}, { grantedQos: 0 as const }]) {
      const memory = { subscribedFilters: ['a'], ...granted };
      expect(planSubscription('task', definitionOf(['a']), memory, 'mqtt')).toMatchObject({
        hasChanged: true,
        removedTopicFilters: [],
      });
    }
  });

  it('removes what the session knows and the definition does not', () => {
    const memory = { subscribedFilters: ['a', 'old'] };
    expect(planSubscription('task', definitionOf(['a']), memory, 'mqtt')).toMatchObject({
      removedTopicFilters: ['old'],
      hasChanged: true,
    });
  });

  it('shares subscriptions between lanes, and removes them as they were subscribed', () => {
    const shared = planSubscription('task', definitionOf(['a'], 2), { subscribedFilters: ['a'] }, 'mqtt');
    expect(shared).toMatchObject({
      topicFilters: ['a'],
      shareName: 'task',
      subscribed: ['$share/task/a'],
      removedTopicFilters: ['a'],
    });
    const alone = planSubscription(
      'task',
      definitionOf(['a']),
      { subscribedFilters: shared.subscribed },
      'mqtt',
    );
    expect(alone).toMatchObject({ subscribed: ['a'], removedTopicFilters: ['$share/task/a'] });
  });
});
