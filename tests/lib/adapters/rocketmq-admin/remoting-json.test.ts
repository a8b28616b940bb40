import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseRemotingJson } from '../../../../lib/adapters/rocketmq-admin/remoting-json.ts';

describe('parseRemotingJson', () => {
  it('reads strict JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(parseRemotingJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('takes bare numbers as keys, and leaves texts that look so alone', () => {
    const text = '{"addrs":{0:"h:1",-1:"{2:3}"},"list":[{7:8},9]}';
    expect(parseRemotingJson(text)).toEqual({ addrs: { '0': 'h:1', '-1': '{2:3}' }, list: [{ '7': 8 }, 9] });
  });

  it('takes objects as keys, whatever their texts hold', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string(), { minKeys: 1 }), fc.jsonValue(), (key, value) => {
        const text = `{"table":{${JSON.stringify(key)}:${JSON.stringify(value)},{}:1}}`;
        const { table } = parseRemotingJson(text) as { table: Record<string, unknown> };
        expect(Object.entries(table)).toEqual(
          expect.arrayContaining([
            [JSON.stringify(key), JSON.parse(JSON.stringify(value))],
            ['{}', 1],
          ]),
        );
      }),
    );
  });

  it.each(['', '{', '{"a":1', '{{"a":1:2}', '"open', '{a"b:1}', 'nonsense', '{'.repeat(10_000)])(
    'refuses %j',
    (text) => {
      expect(() => parseRemotingJson(text)).toThrow(SyntaxError);
    },
  );
});
