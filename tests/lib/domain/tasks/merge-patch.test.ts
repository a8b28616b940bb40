import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mergePatch } from '../../../../lib/domain/tasks/merge-patch.ts';

const json = () => fc.json().map((text) => JSON.parse(text) as unknown);

/** A value without null members, which no merge patch can produce. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
}

describe('mergePatch', () => {
  // RFC 7396, appendix A.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j patched with %j is %j', (target, patch, outcome) => {
    expect(mergePatch(target, patch)).toEqual(outcome);
  });

  it('makes a value of itself by an empty patch, and by itself', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json()), (members) => {
        const value = withoutNulls(members);
        expect(mergePatch(value, {})).toEqual(value);
        expect(mergePatch(value, value)).toEqual(value);
      }),
    );
  });

  it('gives the same when it is applied twice, and changes neither argument', () => {
    fc.assert(
      fc.property(json(), json(), (target, patch) => {
        const before = JSON.stringify([target, patch]);
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });

  it('keeps a member named __proto__ a member', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(Object.keys(merged as object)).toEqual(['__proto__']);
    expect(merged).not.toHaveProperty('polluted');
  });

  it('takes a patch as deep as a body can be', () => {
    const levels = 170_000;
    const patch: unknown = JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
    expect(mergePatch({ a: { b: 1 } }, patch)).toMatchObject({ a: { b: 1, a: { a: {} } } });
  });
});
