import { describe, expect, it } from '@jest/globals';
import { changedReceiptHandle } from '../../../../lib/adapters/rocketmq/receipt-handle.ts';

describe('changedReceiptHandle', () => {
  it.each([
    [
      'of a LOCAL proxy',
      '0 1795630903454 12000 3 0 broker-a 2 17 0 284',
      '17 1795630903454 12000 3 0 broker-a 2 17 0 284',
    ],
    [
      'of a CLUSTER proxy',
      '17 1795630903454 12000 3 0 broker-a 2 17 284',
      '17 1795630903454 12000 3 0 broker-a 2 17 284',
    ],
    ['without more behind', '5 1 2 3 1 b 0 9', '9 1 2 3 1 b 0 9'],
  ])('begins, %s, at the offset of the message', (_, given, expected) => {
    expect(changedReceiptHandle(given)).toBe(expected);
  });

  it.each(['', 'opaque', '0 1 2 3 0 broker-a 2', 'AAEC0+8=', '0 1 2 x 0 broker-a 2 17'])(
    'leaves %j as it is',
    (given) => {
      expect(changedReceiptHandle(given)).toBe(given);
    },
  );
});
