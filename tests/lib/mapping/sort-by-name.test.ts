import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { UserProperty } from '../../../lib/domain/messages/message.ts';
import { sortByName } from '../../../lib/mapping/sort-by-name.ts';

describe('sortByName', () => {
  it('is what a stable sort by UTF-16 code units makes, of few properties and of many', () => {
    const property = fc.tuple(fc.string({ unit: 'binary', maxLength: 2 }), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(property, { maxLength: 200 }), (properties: UserProperty[]) => {
        const expected = properties.toSorted((one, other) => {
          if (one[0] === other[0]) return 0;
          return one[0] < other[0] ? -1 : 1;
        });
        expect(sortByName([...properties])).toEqual(expected);
      }),
    );
  });
});
