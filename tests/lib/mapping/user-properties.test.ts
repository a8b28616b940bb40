import { describe, expect, it } from '@jest/globals';
import type { UserProperty } from '../../../lib/domain/messages/message.ts';
import {
  putUserProperties,
  readUserProperties,
  restoreProperties,
} from '../../../lib/mapping/user-properties.ts';
import { WIRE_NAMES } from '../../../lib/mapping/wire-names.ts';

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

describe('putUserProperties, after thousands of names', () => {
  it('still judges each of them right', () => {
    for (let index = 0; index < 5_000; index += 1) {
      const properties = new Map<string, string>();
      putUserProperties(properties, [
        [`n${index}`, 'x'],
        [`${index}n`, 'y'],
      ]);
      expect([...properties]).toEqual([
        [`n${index}`, 'x'],
        ['mqtt_up', `[["${index}n","y"]]`],
      ]);
    }
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

describe('restoreProperties', () => {
  it('gives a property its own name wherever RocketMQ can carry it', () => {
    const properties = new Map<string, string>();
    restoreProperties(
      properties,
      [
        ['1st', 'a'],
        ['KEYS', 'k'],
        ['__proto__', 'p'],
        ['mqtt_custom', 'c'],
        ['mqtt_qos', '9'],
        ['\u00fc', 'b'],
      ],
      WIRE_NAMES,
    );
    expect(Object.fromEntries(properties)).toEqual({
      '1st': 'a',
      mqtt_custom: 'c',
      '\u00fc': 'b',
      mqtt_up: '[["KEYS","k"],["__proto__","p"],"mqtt_custom",["mqtt_qos","9"],"\\u00fc"]',
    });
  });
});
