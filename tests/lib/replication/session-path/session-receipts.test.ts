import { describe, expect, it } from '@jest/globals';
import { createSessionReceipts } from '../../../../lib/replication/session-path/session-receipts.ts';

const said = (text: string) => ({ topicName: 'a', payload: Buffer.from(text), userProperties: [] });
const first = (packetId: number, text = `${packetId}`) => ({
  ...{ packetId, isDuplicate: false },
  message: said(text),
});
const again = (packetId: number, text?: string) => ({ ...first(packetId, text), isDuplicate: true });

describe('createSessionReceipts', () => {
  it('believes the broker about what it cannot know: another process may have met it', () => {
    const isAgain = createSessionReceipts(10).connect();
    expect([again(1), first(2), again(3)].map(isAgain)).toEqual([true, false, true]);
  });

  it('takes for met what the connection before has brought, and for new what was lost on its way', () => {
    const receipts = createSessionReceipts(10);
    const met = receipts.connect();
    for (const packetId of [1, 2, 3]) met(first(packetId));
    const isAgain = receipts.connect();
    expect([again(2), again(3), again(4), first(5)].map(isAgain)).toEqual([true, true, false, false]);
    // Lost again, or not: each connection knows the one before.
    const next = receipts.connect();
    expect([again(4), again(5), again(6)].map(next)).toEqual([true, true, false]);
  });

  it('remembers as many as a broker may have unacknowledged, the last ones', () => {
    const receipts = createSessionReceipts(2);
    const met = receipts.connect();
    for (const packetId of [1, 2, 3]) met(first(packetId));
    expect([again(1), again(2), again(3)].map(receipts.connect())).toEqual([false, true, true]);
  });

  it('knows a message from another that has its identifier by now', () => {
    const receipts = createSessionReceipts(10);
    const met = receipts.connect();
    for (const text of ['a', 'b', 'c']) met(first(1, text));
    expect([again(1, 'd')].map(receipts.connect())).toEqual([false]);
    expect([again(1, 'd')].map(receipts.connect())).toEqual([true]);
  });

  it('takes what has no identifier as the broker marks it', () => {
    const isAgain = createSessionReceipts(2).connect();
    const message = said('x');
    const both = [false, true].map((isDuplicate) => isAgain({ isDuplicate, message }));
    expect(both).toEqual([false, true]);
  });
});
