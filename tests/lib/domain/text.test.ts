import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { carriedBytes, isCarried, NOT_CARRIED, utf8Length } from '../../../lib/domain/text.ts';

describe('carriedBytes', () => {
  it('agrees with Unicode category Cc, well-formedness and the length in UTF-8', () => {
    const unit = fc.oneof(
      fc.nat(0x9f),
      fc.constantFrom(
        0x20,
        0x7e,
        0x7f,
        0x80,
        0x9f,
        0xa0,
        0x7ff,
        0x800,
        0xd7ff,
        0xd800,
        0xdbff,
        0xdc00,
        0xdfff,
        0xe000,
      ),
      fc.nat(0xffff),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 6 }), (units) => {
        const text = String.fromCharCode(...units);
        const carried = text.isWellFormed() && !/\p{Cc}/u.test(text);
        expect(carriedBytes(text)).toBe(carried ? Buffer.byteLength(text) : NOT_CARRIED);
        expect(isCarried(text)).toBe(carried);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('utf8Length', () => {
  it('counts bytes', () => {
    expect(utf8Length('a\u00e9\u20ac\u{1f50b}')).toBe(10);
  });
});
