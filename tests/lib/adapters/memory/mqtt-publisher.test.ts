import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemoryMqttPublisher } from '../../../../lib/adapters/memory/mqtt-publisher.ts';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';
import type { BridgeError } from '../../../../lib/domain/errors/errors.ts';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
} from '../../../../lib/domain/errors/errors.ts';
import { describeMqttPublisher, errorOf, sampleMessage } from '../../../contract/mqtt-publisher.ts';

describeMqttPublisher(
  'in memory',
  async () => {
    const publisher = createMemoryMqttPublisher({ clock: systemClock, maxPayloadBytes: 100_000 });
    return {
      publisher,
      topicPrefix: 'memory',
      received: async () => [...publisher.published],
      retained: async (topicName) =>
        publisher.published.findLast((message) => message.topicName === topicName && message.retain),
      close: () => publisher.close(),
    };
  },
  { tooLargeBytes: 100_001 },
);

describe('createMemoryMqttPublisher', () => {
  const deadline = { deadlineMs: Number.POSITIVE_INFINITY };
  const open = () => createMemoryMqttPublisher({ clock: createManualClock() });

  it('refuses, holds and throttles as told, and takes what may be stored', async () => {
    const publisher = open();
    const errors = new Map<string, BridgeError>([
      ['hold', new BrokerHoldError('no', { code: 'ACCESS_DENIED', scope: 'topic' })],
      ['slow', new BrokerThrottledError('slow', { waitMs: 5 })],
      ['perhaps', new BrokerUnavailableError('lost', { maybeStored: true })],
    ]);
    publisher.decide(({ topicName }) => errors.get(topicName));
    for (const [topicName, error] of errors) {
      expect(errorOf(await publisher.publish(sampleMessage(topicName), deadline))).toBe(error);
    }
    expect(await publisher.publish(sampleMessage('fine'), deadline)).toEqual({ status: 'accepted' });
    expect(publisher.published.map(({ topicName }) => topicName)).toEqual(['perhaps', 'fine']);
  });

  it('goes away with what is in flight, and comes back', async () => {
    const publisher = open();
    publisher.decide(() => new Promise(() => undefined));
    const inFlight = publisher.publish(sampleMessage('a'), deadline);
    expect(publisher.inFlight).toBe(1);
    publisher.goAway();
    expect(errorOf(await inFlight)).toMatchObject({ reaction: 'retry', maybeStored: true });
    expect(errorOf(await publisher.publish(sampleMessage('b'), deadline))).toMatchObject({
      code: 'TARGET_UNREACHABLE',
      maybeStored: false,
    });
    await expect(publisher.check(Number.POSITIVE_INFINITY)).rejects.toMatchObject({
      code: 'TARGET_UNREACHABLE',
    });
    publisher.comeBack();
    publisher.decide(() => undefined);
    await publisher.check(Number.POSITIVE_INFINITY);
    expect(publisher.checks).toBe(2);
    expect(await publisher.publish(sampleMessage('c'), deadline)).toEqual({ status: 'accepted' });
  });

  it('fails what is under way when it is closed', async () => {
    const publisher = open();
    publisher.decide(() => new Promise(() => undefined));
    const inFlight = publisher.publish(sampleMessage('a'), deadline);
    await publisher.close();
    expect(errorOf(await inFlight).maybeStored).toBe(true);
  });
});
