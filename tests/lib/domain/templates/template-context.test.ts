import { describe, expect, it } from '@jest/globals';
import {
  contextOfMqttMessage,
  createPayloadReader,
} from '../../../../lib/domain/templates/template-context.ts';

describe('createPayloadReader', () => {
  it.each<[json: string, path: (string | number)[], expected: string | undefined]>([
    ['{"a":1e3}', ['a'], '1000'],
    ['{"a":-0.50}', ['a'], '-0.5'],
    ['{"a":false}', ['a'], 'false'],
    ['{"a":""}', ['a'], ''],
    ['[[1,2]]', [0, 1], '2'],
    ['{"id":12345678901234567890}', ['id'], '12345678901234567890'],
    ['{"id":[-9007199254740993]}', ['id', 0], '-9007199254740993'],
    ['{"id":1e21}', ['id'], '1e+21'],
    ['{"a":{}}', ['a'], undefined],
    ['{"a":[]}', ['a'], undefined],
    ['{"a":null}', ['a'], undefined],
    ['{"a":null}', ['a', 'b'], undefined],
    ['{"a":"text"}', ['a', 'length'], undefined],
    ['{"a":[1]}', ['a', 'length'], undefined],
    ['{"a":{"0":1}}', ['a', 0], undefined],
    ['[1]', ['0'], undefined],
    ['[1]', [1], undefined],
    ['{}', ['constructor'], undefined],
    ['{}', ['__proto__'], undefined],
    ['{"__proto__":"own"}', ['__proto__'], 'own'],
    ['null', ['a'], undefined],
    ['not json', ['a'], undefined],
    ['', ['a'], undefined],
  ])('reads from %s at %j: %j', (json, path, expected) => {
    expect(createPayloadReader(Buffer.from(json))(path)).toBe(expected);
  });

  it.each([
    ['too large for a number', '{"a":1e400}'],
    ['that has more digits than can be kept, in a document too deep to look for them', deep(20_000)],
  ])('takes an integer %s for a missing one, never for a word', (_, json) => {
    expect(createPayloadReader(Buffer.from(json))(['a'])).toBeUndefined();
  });

  it('takes what is not UTF-8 for no JSON, instead of replacing characters', () => {
    expect(
      createPayloadReader(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]))(['a']),
    ).toBeUndefined();
  });
});

function deep(levels: number): string {
  return `{"a":1234567890123456789,"b":${'['.repeat(levels)}${']'.repeat(levels)}}`;
}

describe('contextOfMqttMessage', () => {
  it('knows what an MQTT message has, and neither tag nor key', () => {
    const context = contextOfMqttMessage({
      topicName: 'a/b',
      payload: Buffer.from('{"x":1}'),
      userProperties: [['n', 'v']],
    });
    expect([context.topic(), context.topicLevel(2), context.topicLevel(3)]).toEqual(['a/b', 'b', undefined]);
    expect([context.clientId(), context.tag(), context.key()]).toEqual([undefined, undefined, undefined]);
    expect([context.property('n'), context.property('m')]).toEqual(['v', undefined]);
    expect([context.payloadValue(['x']), context.payloadValue(['y'])]).toEqual(['1', undefined]);
  });
});
