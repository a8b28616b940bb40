import { isUtf8 } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { textOf } from '../../../../lib/adapters/mqtt/session-text.ts';

/** Counterpart of `textOf`: what its documentation says can be told from the text. */
function bytesOf(text: string): Buffer {
  return Buffer.concat(
    [...text].map((character) => {
      const code = character.codePointAt(0) ?? 0;
      return code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character);
    }),
  );
}

const pieces = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(Buffer.from('\ufffd')),
);

describe('textOf', () => {
  it('is the text where the bytes are UTF-8, and ill-formed where not; every byte can be told from it', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const bytes = Buffer.concat(parts);
        const text = textOf(Buffer.concat([Buffer.from('<'), bytes, Buffer.from('>')]), 1, 1 + bytes.length);
        expect(text.isWellFormed()).toBe(isUtf8(bytes));
        if (isUtf8(bytes)) expect(text).toBe(bytes.toString());
        expect(bytesOf(text).equals(bytes)).toBe(true);
      }),
    );
  });

  it.each([
    ['a byte alone', [0x61, 0xff, 0x62], 'a\udcffb'],
    ['a character cut short', [0xe2, 0x82], '\udce2\udc82'],
    ['an overlong form', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['a surrogate', [0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
  ])('escapes %s', (_, bytes, text) => {
    expect(textOf(Buffer.from(bytes), 0, bytes.length)).toBe(text);
  });
});
