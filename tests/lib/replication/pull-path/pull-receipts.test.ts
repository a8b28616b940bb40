import { describe, expect, it } from '@jest/globals';
import type { ReceivedMessage } from '../../../../lib/ports/message-consumer.ts';
import { createPullReceipts } from '../../../../lib/replication/pull-path/pull-receipts.ts';

const message = (queueOffset: number, deliveryAttempt = 1) =>
  ({ brokerName: 'one', queueId: 0, queueOffset, deliveryAttempt }) as ReceivedMessage;

describe('createPullReceipts', () => {
  it('believes the cluster of a NORMAL topic', () => {
    const receipts = createPullReceipts({ isFifo: false });
    expect([receipts.isAgain(message(1)), receipts.isAgain(message(1))]).toEqual([false, false]);
    expect(receipts.isAgain(message(1, 2))).toBe(true);
    receipts.settled(message(1), false);
    expect(receipts.leftBehind).toBe(0);
  });

  it('remembers what it met of a FIFO topic, and what it left', () => {
    const receipts = createPullReceipts({ isFifo: true });
    expect([1, 2, 1].map((offset) => receipts.isAgain(message(offset)))).toEqual([false, false, true]);
    receipts.settled(message(1), false);
    receipts.settled(message(2), false);
    receipts.settled(message(1), true);
    expect(receipts.leftBehind).toBe(1);
  });

  it('does not grow for ever', () => {
    const receipts = createPullReceipts({ isFifo: true });
    for (let offset = 0; offset < 20_001; offset += 1) receipts.isAgain(message(offset));
    expect(receipts.isAgain(message(20_000))).toBe(true);
    expect(receipts.isAgain(message(0))).toBe(false);
  });
});
