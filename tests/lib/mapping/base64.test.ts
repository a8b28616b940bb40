import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeBase64, encodeBase64 } from '../../../lib/mapping/base64.ts';

describe('encodeBase64', () => {
  it('writes text that is never empty, and that decodeBase64 reads', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = encodeBase64(Buffer.from(bytes));
        expect(text).not.toBe('');
        expect(decodeBase64(text)).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

describe('decodeBase64', () => {
  it('takes the empty text for no bytes', () => {
    expect(decodeBase64('')).toEqual(Buffer.alloc(0));
  });

  it.each(['a', 'YQ', 'YQ=', 'Y*==', 'YWJj\n', 'YQ==YQ=='])('refuses %j', (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});
