import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  filterIndexes,
  subscriptionIdentifierOf,
} from '../../../../lib/adapters/mqtt/session-subscriptions.ts';

describe('subscriptionIdentifierOf', () => {
  it('is a valid identifier that depends on the filter alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (topicFilter) => {
        const identifier = subscriptionIdentifierOf(topicFilter);
        expect(identifier).toBe(subscriptionIdentifierOf(topicFilter));
        expect(identifier).toBeGreaterThanOrEqual(1);
        expect(identifier).toBeLessThanOrEqual(268_435_455);
      }),
    );
  });

  it('stays what it is: sessions of earlier versions have it in their queues', () => {
    expect(subscriptionIdentifierOf('stations/+/status')).toBe(215_040_956);
  });
});

describe('filterIndexes', () => {
  it('leads from an identifier to the index of its filter', () => {
    const indexes = filterIndexes(['a', 'b/#']);
    expect(indexes.get(subscriptionIdentifierOf('b/#'))).toBe(1);
    expect(indexes.get(subscriptionIdentifierOf('a'))).toBe(0);
    expect(indexes.size).toBe(2);
  });

  it('knows nothing of filters whose identifier is ambiguous', () => {
    expect(filterIndexes(['same', 'same']).size).toBe(0);
  });
});
