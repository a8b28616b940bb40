import { describe, expect, it } from '@jest/globals';
import { checkGroupIsOwn, consumerGroupOf } from '../../../../lib/domain/tasks/consumer-group.ts';
import { TaskDefinition } from '../../../../lib/domain/tasks/task.ts';
import { isFromRocketmq } from '../../../../lib/domain/tasks/task-path.ts';
import { checkConsumerGroup } from '../../../../lib/domain/topics/rocketmq-names.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

const taskId = '01J9Z3N8Q2W5R7T9V1X3Y5Z7A9';

function pullFrom(source: object) {
  const definition = TaskDefinition.parse({
    taskName: 'commands',
    source: { clusterId: 'business', topic: 'charger_commands', ...source },
    target: { clusterId: 'devices', topic: 'stations/${key}/commands' },
  });
  if (!isFromRocketmq(definition)) throw new Error('a source with a topic is RocketMQ');
  return definition;
}

describe('consumerGroupOf', () => {
  it('is one of the task’s own, and legal', () => {
    const group = consumerGroupOf({ taskId, definition: pullFrom({}) });
    expect(group).toBe(`mqferry_${taskId}`);
    expect(checkConsumerGroup(group)).toBeUndefined();
  });

  it('is the one that the source names', () => {
    expect(consumerGroupOf({ taskId, definition: pullFrom({ consumerGroup: 'billing' }) })).toBe('billing');
  });
});

describe('checkGroupIsOwn', () => {
  const others = [
    { taskId: 'T1', definition: pullFrom({ consumerGroup: 'ours' }) },
    { taskId: 'T2', definition: pullFrom({}) },
    { taskId: 'T3', definition: definitionWith() },
  ];

  it.each(['ours', 'mqferry_T2'])('refuses the group %s of another task', (consumerGroup) => {
    expect(checkGroupIsOwn(pullFrom({ consumerGroup, topic: 'other' }), others)).toEqual([
      expect.objectContaining({ field: 'source.consumerGroup', code: 'CONSUMER_GROUP_TAKEN' }),
    ]);
  });

  it('takes any other, the same on another cluster, and none', () => {
    expect(checkGroupIsOwn(pullFrom({ consumerGroup: 'mine' }), others)).toEqual([]);
    expect(checkGroupIsOwn(pullFrom({ consumerGroup: 'ours', clusterId: 'archive' }), others)).toEqual([]);
    expect(checkGroupIsOwn(pullFrom({}), others)).toEqual([]);
    expect(checkGroupIsOwn(definitionWith(), others)).toEqual([]);
  });
});
