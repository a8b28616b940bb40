import { describe, expect, it } from '@jest/globals';
import { putText, readBytes, readNumber, readText } from '../../../lib/mapping/properties.ts';

describe('putText', () => {
  it.each([
    ['plain \u5145', 'x', 'plain \u5145'],
    ['', 'x_b64', '='],
    ['a\u0085', 'x_b64', 'YcKF'],
  ])('sets %j as %s', (text, name, value) => {
    const properties = new Map<string, string>();
    putText(properties, 'x', text);
    expect([...properties]).toEqual([[name, value]]);
    expect(readText(properties, 'x')).toBe(text);
  });

  it('refuses what UTF-8 cannot carry', () => {
    expect(() => putText(new Map(), 'x', '\ud800')).toThrow('x is not well-formed Unicode');
  });
});

describe('readNumber', () => {
  it('reads a whole number up to its maximum', () => {
    expect(readNumber(new Map([['n', '2']]), 'n', 2)).toBe(2);
    expect(readNumber(new Map(), 'n')).toBeUndefined();
  });

  it.each(['', '-1', '1.5', 'x', '3', '99999999999999999'])('refuses %j', (value) => {
    expect(() => readNumber(new Map([['n', value]]), 'n', 2)).toThrow('n does not hold a number from 0 to 2');
  });
});

describe('readBytes', () => {
  it('refuses what is not base64', () => {
    expect(() => readBytes(new Map([['b', '*']]), 'b')).toThrow('b does not hold base64');
  });
});
