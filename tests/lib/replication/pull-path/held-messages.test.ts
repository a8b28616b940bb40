import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import type { ReceivedMessage } from '../../../../lib/ports/message-consumer.ts';
import {
  createHeldMessages,
  INVISIBLE_MS,
  RECEIVED_MS,
} from '../../../../lib/replication/pull-path/held-messages.ts';
import { silentLogger } from '../../../helpers/silent-logger.ts';

const STEP_MS = 1_000;
const receivedMessage = (): ReceivedMessage => ({
  ...{ rocketmqTopic: 't', brokerName: 'broker-a', body: Buffer.from('x'), keys: [], properties: new Map() },
  ...{ messageId: 'm', receiptHandle: 'r', deliveryAttempt: 1, queueId: 0, queueOffset: 0, bornTimeMs: 0 },
  isCorrupted: false,
});

/** Messages that are held at a broker which extends them, or does not. */
function setUp() {
  const clock = createManualClock();
  const calls: { atMs: number; messages: readonly ReceivedMessage[]; durationMs: number }[] = [];
  const began = clock.now();
  let isWilling = true;
  const held = createHeldMessages({
    consumer: {
      async changeInvisibleDuration(messages, durationMs) {
        calls.push({ atMs: clock.now() - began, messages, durationMs });
        return messages.map(() => isWilling);
      },
    },
    clock,
    logger: silentLogger,
  });
  const stop = new AbortController();
  void held.keep(stop.signal);
  return {
    held,
    calls,
    refuse() {
      isWilling = false;
    },
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= STEP_MS) await clock.advance(STEP_MS);
    },
    stop: () => stop.abort(),
  };
}

describe('createHeldMessages', () => {
  it('asks nothing for what is settled within seconds', async () => {
    const { held, calls, pass, stop } = setUp();
    const message = receivedMessage();
    held.add([message]);
    await pass(4_000);
    expect(held.isOurs(message)).toBe(true);
    await held.settle([message]);
    await pass(20_000);
    expect(calls).toEqual([]);
    stop();
  });

  it('extends what waits, again and again, well before its time ends', async () => {
    const { held, calls, pass, stop } = setUp();
    const message = receivedMessage();
    held.add([message]);
    await pass(60_000);
    expect(held.isOurs(message)).toBe(true);
    const [first, second] = calls;
    expect(first?.atMs).toBeLessThanOrEqual(RECEIVED_MS / 2);
    expect(first?.durationMs).toBe(INVISIBLE_MS);
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(RECEIVED_MS / 2);
    stop();
  });

  it('tries again while it is still ours, and lets it go when its time is over', async () => {
    const { held, calls, refuse, pass, stop } = setUp();
    refuse();
    const message = receivedMessage();
    held.add([message]);
    await pass(RECEIVED_MS - STEP_MS);
    expect(calls.length).toBeGreaterThanOrEqual(3);
    expect(held.isOurs(message)).toBe(true);
    await pass(STEP_MS);
    expect(held.isOurs(message)).toBe(false);
    stop();
  });
});
