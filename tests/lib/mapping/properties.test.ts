import { describe, expect, it } from '@jest/globals';
import type { UserProperty } from '../../../lib/domain/message.ts';
import {
  putText,
  putUserProperties,
  readBytes,
  readNumber,
  readText,
  readUserProperties,
} from '../../../lib/mapping/properties.ts';

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

describe('putUserProperties', () => {
  it.each<[what: string, userProperties: UserProperty[], properties: Record<string, string>]>([
    ['none', [], {}],
    [
      'plain ones in the order of their names',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      { a: '1', b: '2' },
    ],
    [
      'plain ones in another order',
      [
        ['b', '2'],
        ['a', '1'],
      ],
      { a: '1', b: '2', mqtt_up: '["a"]' },
    ],
    [
      'a repeated name',
      [
        ['a', '1'],
        ['a', '2'],
      ],
      { a: '1', mqtt_up: '[["a","2"]]' },
    ],
    [
      'an odd one between plain ones',
      [
        ['a', '1'],
        ['\u00fc', 'x'],
        ['b', '2'],
      ],
      { a: '1', b: '2', mqtt_up: '[["\\u00fc","x"],"b"]' },
    ],
    ['an empty value', [['a', '']], { mqtt_up: '[["a",""]]' }],
    ['a control character', [['a', '\u007f']], { mqtt_up: '[["a","\\u007f"]]' }],
    ['a lone surrogate', [['a', '\ud800']], { mqtt_up: '[["a","\\ud800"]]' }],
    [
      'reserved names',
      [
        ['KEYS', 'k'],
        ['mqtt_qos', '9'],
        ['rmq_x', 'x'],
        ['mqferry_id', 'i'],
        ['__x', 'x'],
      ],
      {
        mqtt_up: '[["KEYS","k"],["mqtt_qos","9"],["rmq_x","x"],["mqferry_id","i"],["__x","x"]]',
      },
    ],
  ])('places %s', (_what, userProperties, expected) => {
    const properties = new Map<string, string>();
    putUserProperties(properties, userProperties);
    expect(Object.fromEntries(properties)).toEqual(expected);
    expect(readUserProperties(properties)).toEqual(userProperties);
  });
});

describe('readUserProperties', () => {
  it('takes what others have set for user properties, by name, and leaves ours out', () => {
    const properties = new Map([
      ['z', '1'],
      ['mqtt_topic', 't'],
      ['mqtt_custom', 'c'],
      ['A', '2'],
    ]);
    expect(readUserProperties(properties)).toEqual([
      ['A', '2'],
      ['mqtt_custom', 'c'],
      ['z', '1'],
    ]);
  });

  it('takes a property for gone that somebody has removed', () => {
    expect(readUserProperties(new Map([['mqtt_up', '["gone",["k","v"]]']]))).toEqual([['k', 'v']]);
  });

  it.each(['', '{}', '[1]', '[["a"]]', '[["a",1]]', '["a"'])('refuses %j in mqtt_up', (value) => {
    expect(() => readUserProperties(new Map([['mqtt_up', value]]))).toThrow('mqtt_up does not hold');
  });
});
