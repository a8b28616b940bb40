import { describe, expect, it } from '@jest/globals';
import {
  createMemoryMessageProducer,
  createMemoryProducerPool,
} from '../../../../lib/adapters/memory/message-producer.ts';
import { createProbeTarget } from '../../../../lib/control/tasks/probe-target.ts';
import { BrokerHoldError, BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import type { MessageProducer } from '../../../../lib/ports/message-producer.ts';
import {
  createSteppingClock,
  createTaskTable,
  rocketmqCluster,
  ruleTask,
  TASK_ID,
} from '../../../helpers/rule-path.ts';
import { silentLogger } from '../../../helpers/silent-logger.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

const clock = createSteppingClock();
const topics = { charger_status: 'NORMAL' } as const;
const rendered = () => ruleTask({ target: { clusterId: 'business', topic: 's_${topic[2]}' } });

function probe(task: Task | undefined, check?: MessageProducer['check'], cluster = rocketmqCluster()) {
  const producer = createMemoryMessageProducer({ topics, clock });
  return createProbeTarget({
    tasks: createTaskTable(task),
    clusters: { get: async () => (cluster.clusterId === 'gone' ? undefined : cluster) },
    producers: createMemoryProducerPool({ ...producer, ...(check === undefined ? {} : { check }) }),
    clock,
    logger: silentLogger,
  })(TASK_ID);
}

describe('createProbeTarget', () => {
  it('asks for the topic of the task, and sends nothing', async () => {
    const asked: string[] = [];
    const check = async (topic: string) => void asked.push(topic);
    expect(await probe(ruleTask(), check)).toBe('answers');
    expect(asked).toEqual(['charger_status']);
    expect(await probe(ruleTask())).toBe('answers');
  });

  it.each([
    ['no connection', new BrokerUnavailableError('away', { code: 'TARGET_UNREACHABLE' })],
    ['refused credentials', new BrokerHoldError('no', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' })],
    ['no such topic', new BrokerHoldError('no', { code: 'TOPIC_NOT_FOUND', scope: 'topic' })],
  ])('says away: %s', async (_what, error) => {
    expect(await probe(ruleTask(), () => Promise.reject(error))).toBe('away');
  });

  it('takes a cluster that knows no such topic for one that answers, where each message has its own', async () => {
    expect(await probe(rendered())).toBe('answers');
    const away = new BrokerUnavailableError('away');
    expect(await probe(rendered(), () => Promise.reject(away))).toBe('away');
  });

  it('knows nothing of a task or cluster that is gone, or of another direction', async () => {
    expect(await probe(undefined)).toBe('unknown');
    expect(await probe(ruleTask(), undefined, rocketmqCluster({ clusterId: 'gone' }))).toBe('unknown');
    const pulled = definitionWith({
      source: { clusterId: 'business', topic: 'x' },
      target: { clusterId: 'devices', topic: 'a' },
    });
    expect(await probe({ ...ruleTask(), definition: pulled })).toBe('unknown');
  });

  it('answers nothing for a fault of ours', async () => {
    await expect(probe(ruleTask(), () => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug');
  });
});
