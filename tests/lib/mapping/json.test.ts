import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asciiJson, isTextPair, parseJson } from '../../../lib/mapping/json.ts';

describe('asciiJson', () => {
  it('writes printable ASCII that reads as the same value', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (value) => {
        const text = asciiJson(value);
        expect(text).toMatch(/^[ -~]*$/);
        expect(JSON.parse(text)).toEqual(value);
      }),
    );
  });

  it('escapes DEL, the C1 controls and lone surrogates', () => {
    expect(asciiJson('\u007f\u0085\ud800 \u{1f50b}')).toBe('"\\u007f\\u0085\\ud800 \\ud83d\\udd0b"');
  });
});

describe('parseJson', () => {
  it('answers undefined for what is no JSON', () => {
    expect(parseJson('{')).toBeUndefined();
    expect(parseJson('[1]')).toEqual([1]);
  });
});

describe('isTextPair', () => {
  it.each([
    [['a', 'b'], true],
    [['a'], false],
    [['a', 1], false],
    [[1, 'b'], false],
    [['a', 'b', 'c'], false],
    ['ab', false],
  ])('says of %j: %s', (value, expected) => {
    expect(isTextPair(value)).toBe(expected);
  });
});
