import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  filterIndexes,
  subscriptionIdentifiers,
} from '../../../../lib/adapters/mqtt/session-subscriptions.ts';

const subscriptionIdentifierOf = (topicFilter: string) => subscriptionIdentifiers([topicFilter])[0] ?? 0;

describe('subscriptionIdentifiers', () => {
  it('are valid identifiers', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (topicFilter) => {
        const identifier = subscriptionIdentifierOf(topicFilter);
        expect(identifier).toBe(subscriptionIdentifierOf(topicFilter));
        expect(identifier).toBeGreaterThanOrEqual(1);
        expect(identifier).toBeLessThanOrEqual(268_435_455);
      }),
    );
  });

  it('are another one for a filter that an earlier one overlaps, and for no other reason', () => {
    const alone = ['x/1/#', 'x/+/s', 'y'].map(subscriptionIdentifierOf);
    const together = subscriptionIdentifiers(['x/1/#', 'x/+/s', 'y']);
    expect(together.map((identifier, index) => identifier === alone[index])).toEqual([true, false, true]);
    expect(subscriptionIdentifiers(['y', 'x/1/#', 'x/+/s'])[2]).toBe(together[1]);
    expect(subscriptionIdentifiers(['x/2/+', 'x/+/s'])[1]).not.toBe(together[1]);
  });

  it('are other ones too when an earlier filter has become another one, as of a packet that names both', () => {
    const [, second, third] = subscriptionIdentifiers(['z', 'x/+/s', 'x/1/#']);
    const [, , , fourth] = subscriptionIdentifiers(['z', 'x/2/#', 'x/+/s', 'x/1/#']);
    expect(second).toBe(subscriptionIdentifierOf('x/+/s'));
    expect(fourth).not.toBe(third);
    const three = ['x/+/s', 'x/1/#', 'x/1/+'];
    const swapped = subscriptionIdentifiers(['x/1/#', 'x/+/s', 'x/1/+']);
    expect(swapped[2]).not.toBe(subscriptionIdentifiers(three)[2]);
  });

  it('stay what they are: sessions of earlier versions have it in their queues', () => {
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
    // Found by search: one of the few pairs.
    expect(filterIndexes(['t/4264', 't/16756', 'other']).size).toBe(1);
  });
});
