import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findSql92Fault } from '../../../../lib/domain/topics/sql92.ts';

// What SelectorParser of RocketMQ 5.4.0 does with each of these was tried.
describe('findSql92Fault', () => {
  it.each([
    'a = 1',
    "a <> 'it''s'",
    "a > 5 AND b = 'x' or not c",
    "a NOT CONTAINS 'x' AND b STARTSWITH 'y' AND c endswith 'z'",
    'a between 1 and 5 OR b NOT BETWEEN -1 AND 2.5',
    "a in ('x','y') and b NOT IN ('z')",
    'a is null or b IS NOT NULL',
    'TRUE',
    'a',
    '((a=1))',
    'a<1and b>2',
    'NOT NOT a = -1',
    "$a = 'x' AND _b_1 <= +3",
    "a = 'é'",
    '(a = 1) = TRUE',
    ' a\n=\t1 ',
    "TAGS = 'x'",
  ])('takes %j', (expression) => {
    expect(findSql92Fault(expression)).toBeUndefined();
  });

  it.each([
    ["a LIKE 'x%'", /LIKE: use CONTAINS/],
    ["site-id = 'a'", /hyphen/],
    ['a + 1 = 2', /does not calculate/],
    ['a = 1 b = 2', /AND or OR is missing before b/],
    ['a = 1)', /no parenthesis to close/],
  ])('refuses %j, of which RocketMQ would leave out a part in silence', (expression, message) => {
    expect(findSql92Fault(expression)?.message).toMatch(message);
  });

  it.each([
    ['', /missing at the end/, 0],
    ['a = 1 AND', /missing at the end/, 9],
    ['a == 1', /expected here, not =/, 3],
    ['a != 1', /written <>/, 2],
    ["a = 'x", /not closed/, 4],
    ['a = "x"', /single quotes/, 4],
    ['(a = 1', /not closed/, 6],
    ['a.b = 1', /dot/, 1],
    ["a > 'x'", /numbers only/, 7],
    ['a in (1, 2)', /list of texts/, 6],
    ['a in ()', /list of texts/, 6],
    ["a in ('x',)", /list of texts/, 10],
    ['a is true', /NULL or NOT NULL/, 5],
    ['a = NULL', /IS NULL/, 8],
    ['a CONTAINS b', /text in single quotes/, 11],
    ["'x' CONTAINS 'y'", /stands a property/, 4],
    ['a between 5 and 1', /lower one/, 17],
    ["a between 'a' and 'b'", /bounds of BETWEEN are numbers/, 10],
    ['a between 1', /two bounds/, 11],
    ['1', /no condition/, 0],
    ['NOT 1', /before a condition/, 5],
    ['1 AND a', /between conditions/, 7],
    ['a; b', /";" has no meaning/, 1],
    ['é = 1', /"é" has no meaning/, 0],
    ['a = 1234567890123456789', /18 digits/, 4],
    ['-a = 1', /does not calculate/, 1],
  ])('refuses %j and says where and why', (expression, message, position) => {
    expect(findSql92Fault(expression)).toEqual({ position, message: expect.stringMatching(message) });
  });

  it('bounds the nesting', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}a${')'.repeat(depth)}`;
    expect(findSql92Fault(nested(50))).toBeUndefined();
    expect(findSql92Fault(nested(51))?.message).toMatch(/nested more than 50 deep/);
    expect(findSql92Fault(`${'NOT '.repeat(2000)}a`)?.message).toMatch(/nested/);
  });

  it('takes whatever is joined from conditions, and never throws', () => {
    const condition = fc.constantFrom(
      'a',
      "b = 'x'",
      'c > 1',
      "d IN ('y')",
      'e IS NULL',
      '(f <> 2)',
      'NOT g',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(condition, fc.constantFrom('AND', 'or')), { minLength: 1 }), (parts) => {
        const joined = parts.map(([text, operator]) => `${text} ${operator} `).join('');
        expect(findSql92Fault(`${joined}z`)).toBeUndefined();
        expect(findSql92Fault(joined)).toMatchObject({ position: joined.length });
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const fault = findSql92Fault(text);
        if (fault !== undefined) expect(fault.position).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
