import { describe, expect, it } from '@jest/globals';
import { consumerGroupOf } from '../../../lib/domain/consumer-group.ts';
import { checkConsumerGroup } from '../../../lib/domain/rocketmq-names.ts';
import { TaskDefinition } from '../../../lib/domain/task.ts';
import { isFromRocketmq } from '../../../lib/domain/task-path.ts';

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
