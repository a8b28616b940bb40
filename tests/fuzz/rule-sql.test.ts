import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkAwsIotTopicFilter } from '../../lib/domain/topics/topic-filter-syntax.ts';
import { ruleSql } from '../../lib/mapping/rule-envelope.ts';
import { FUZZ, mutatedBytes } from '../helpers/mutations.ts';
import { failure } from '../lib/mapping/failure.ts';

const TASK_ID = '01JDAB3C4D5E6F7G8H9JKMNPQR';
const UNSAFE = /['"`\\\p{Cc}\p{Zl}\p{Zp}]|\$\{/u;

const levels = fc.constantFrom(
  'stations',
  '+',
  '#',
  '',
  'a b',
  'ä',
  '4711',
  '$aws',
  '-',
  '--',
  '/*',
  ';',
  '${topic()}',
);
const filters = fc.array(levels, { minLength: 1, maxLength: 9 }).map((parts) => parts.join('/'));
/** What ends a literal, begins a comment, or is taken for one of these after normalization or by another reader. */
const attacks = fc.constantFrom(
  ...[
    "'",
    "''",
    "\\'",
    '"',
    '`',
    "' WHERE 1=1 --",
    "', get_secret('x') AS y FROM 'a",
    '${accountid()}',
    '\u0000',
    '\n',
  ],
  ...[
    '\u2028',
    '\u0085',
    '\u02bc',
    '\u2019',
    '\uff07',
    '\u201b',
    '/*',
    '*/',
    '--',
    '\u007f',
    '\ud800',
    '\u00a0',
  ],
);
const hostile = fc.oneof(
  { weight: 3, arbitrary: filters },
  {
    weight: 4,
    arbitrary: fc
      .tuple(filters, attacks, fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([filter, attack, share]) => {
        const at = Math.floor(share * filter.length);
        return filter.slice(0, at) + attack + filter.slice(at);
      }),
  },
  {
    weight: 2,
    arbitrary: mutatedBytes(filters.map((filter) => Buffer.from(filter))).map((bytes) =>
      bytes.toString('utf8'),
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);

describe('the SQL of topic rules', () => {
  it('has the topic filter as its one last literal, or does not come to be', () => {
    let accepted = 0;
    const plain = tokensOf(ruleSql({ taskId: TASK_ID, version: 3, ruleNumber: 2, topicFilter: 'a' }));
    const before = plain.slice(0, -1).join(' ');
    fc.assert(
      fc.property(hostile, (topicFilter) => {
        const rule = { taskId: TASK_ID, version: 3, ruleNumber: 2, topicFilter };
        if (checkAwsIotTopicFilter(topicFilter) !== undefined) {
          return failure(() => ruleSql(rule)) instanceof TypeError;
        }
        accepted += 1;
        const tokens = tokensOf(ruleSql(rule));
        const isOneLiteral = tokens.pop() === `'${topicFilter}'` && tokens.join(' ') === before;
        return isOneLiteral && !UNSAFE.test(topicFilter);
      }),
      FUZZ,
    );
    expect(accepted).toBeGreaterThan(FUZZ.numRuns / 10);
  });

  it('takes no task id and no number that is more than that', () => {
    const odd = fc.oneof(attacks, fc.string({ maxLength: 20 }), fc.constant(TASK_ID));
    const numbers = fc.oneof(fc.nat(), fc.double(), attacks as fc.Arbitrary<unknown>) as fc.Arbitrary<number>;
    fc.assert(
      fc.property(odd, numbers, numbers, (taskId, version, ruleNumber) => {
        // No task id has a slash.
        const rule = { taskId, version, ruleNumber, topicFilter: 'a/b' };
        const isLegal =
          /^[A-Za-z0-9_-]{1,64}$/.test(taskId) &&
          [version, ruleNumber].every((value) => Number.isSafeInteger(value));
        if (!isLegal) return failure(() => ruleSql(rule)) instanceof TypeError;
        return tokensOf(ruleSql(rule)).filter((token) => token === `'${taskId}'`).length === 1;
      }),
      FUZZ,
    );
  });
});

/**
 * The tokens of a statement, as any reader of SQL sees them: a literal ends at the next quote that is not doubled. Throws for a
 * comment and for what is no token.
 */
function tokensOf(sql: string): string[] {
  const token = /'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_]*|-?\d+(?:\.\d+)?|[(),*]|\s+/y;
  const tokens: string[] = [];
  for (let at = 0; at < sql.length; at = token.lastIndex) {
    token.lastIndex = at;
    const found = token.exec(sql)?.[0];
    if (found === undefined) throw new Error(`no token at ${at} of ${sql}`);
    if (found.trim() !== '') tokens.push(found);
  }
  return tokens;
}
