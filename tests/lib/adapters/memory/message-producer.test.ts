import { describe, expect, it } from '@jest/globals';
import { createMemoryMessageProducer } from '../../../../lib/adapters/memory/message-producer.ts';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { describeMessageProducer, errorAt, plain } from '../../../contract/message-producer.ts';

const topics = { normal: 'NORMAL', fifo: 'FIFO' } as const;

describeMessageProducer('in memory', async () => {
  const producer = createMemoryMessageProducer({ topics, clock: systemClock });
  return {
    producer,
    normalTopic: 'normal',
    fifoTopic: 'fifo',
    readBack: async (rocketmqTopic) => [...producer.stored(rocketmqTopic)],
    close: () => producer.close(),
  };
});

describe('createMemoryMessageProducer', () => {
  it('fails the messages that the verdict fails, and stores those that may be stored', async () => {
    const producer = createMemoryMessageProducer({ topics, clock: systemClock });
    producer.decide(({ body }) => {
      if (body.toString() === 'ok') return undefined;
      return new BrokerUnavailableError('lost', { maybeStored: body.toString() === 'perhaps' });
    });
    const messages = ['ok', 'no', 'perhaps'].map((body) => plain('normal', body));
    const results = await producer.send('normal', messages, { deadlineMs: Date.now() + 1_000 });
    expect(results.map(({ status }) => status)).toEqual(['stored', 'failed', 'failed']);
    expect(errorAt(results, 2).maybeStored).toBe(true);
    expect(producer.stored('normal').map(({ body }) => body.toString())).toEqual(['ok', 'perhaps']);
    expect(producer.sends).toBe(1);
  });
});
