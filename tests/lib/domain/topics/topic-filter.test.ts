import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  covers,
  createRuleSelector,
  createTopicMatcher,
  intersects,
  matches,
  type TopicDialect,
  uncoveredFilters,
  withinPrefixes,
} from '../../../../lib/domain/topics/topic-filter.ts';

const DIALECTS: TopicDialect[] = ['mqtt', 'aws-iot'];

// Small enough to look at every name: "c" and "$y" stand for all levels that no filter names, and four levels are one
// more than a filter names.
const LEVELS = ['a', 'b', 'c', '$x', '$y'];
const NAMES = [1, 2, 3, 4].flatMap((length) => namesOf(length));
const filters = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '$x', '+'), { maxLength: 3 }), fc.boolean())
  .map(([levels, open]) => (open || levels.length === 0 ? [...levels, '#'] : levels).join('/'));

describe('matches', () => {
  // MQTT 5 §4.7.1.2, §4.7.1.3, §4.7.2, §4.7.3: the examples of the specification.
  it.each<[filter: string, topicName: string, expected: boolean]>([
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['#', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player2', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/anything', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/', true],
    ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ['ACCOUNTS', 'Accounts', false],
    ['Accounts payable', 'Accounts payable', true],
    ['/finance', 'finance', false],
  ])('takes %s for %s: %s', (filter, topicName, expected) => {
    expect(matches(filter, topicName)).toBe(expected);
  });

  it('does not take the parent level for a/# on AWS IoT Core', () => {
    expect(matches('a/#', 'a', 'aws-iot')).toBe(false);
    expect(matches('a/#', 'a/b', 'aws-iot')).toBe(true);
    expect(matches('#', 'a', 'aws-iot')).toBe(true);
  });

  it('takes a compiled filter for MQTT unless told otherwise', () => {
    expect(createTopicMatcher('a/#')('a')).toBe(true);
  });

  it('looks at the filter of a shared subscription only', () => {
    expect(matches('$share/workers/a/+', 'a/b')).toBe(true);
    expect(matches('$share/workers/#', '$SYS/a')).toBe(false);
  });

  it.each(DIALECTS)('agrees with a matcher that follows the text of the specification (%s)', (dialect) => {
    fc.assert(
      fc.property(filters, fc.constantFrom(...NAMES), (filter, topicName) => {
        expect(createTopicMatcher(filter, dialect)(topicName)).toBe(oracle(filter, topicName, dialect));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('covers', () => {
  it.each<[outer: string, inner: string, dialect: TopicDialect, expected: boolean]>([
    ['stations/#', 'stations/+/status', 'mqtt', true],
    ['stations/+/status', 'stations/#', 'mqtt', false],
    ['+/status', 'stations/status', 'mqtt', true],
    ['#', '$SYS/#', 'mqtt', false],
    ['+/#', '#', 'mqtt', true],
    ['+/#', '#', 'aws-iot', false],
    ['a/#', 'a', 'mqtt', true],
    ['a/#', 'a', 'aws-iot', false],
    ['a/+', '$share/g/a/b', 'mqtt', true],
  ])('says of %s over %s (%s): %s', (outer, inner, dialect, expected) => {
    expect(covers(outer, inner, dialect)).toBe(expected);
  });

  it('reads filters as MQTT does unless told otherwise', () => {
    expect(covers('a/#', 'a')).toBe(true);
  });

  it.each(DIALECTS)('agrees with a look at every topic name (%s)', (dialect) => {
    fc.assert(
      fc.property(filters, filters, (outer, inner) => {
        const expected = NAMES.every(
          (topicName) => !oracle(inner, topicName, dialect) || oracle(outer, topicName, dialect),
        );
        expect(covers(outer, inner, dialect)).toBe(expected);
      }),
      { numRuns: 400 },
    );
  });
});

describe('intersects', () => {
  it.each<[one: string, other: string, expected: boolean]>([
    ['a/+', '+/b', true],
    ['a/+/c', 'a/#', true],
    ['a', 'b', false],
    ['a/b', 'a/b/c', false],
    ['#', '$SYS/#', false],
    ['a/#', 'a', true],
  ])('says of %s and %s: %s', (one, other, expected) => {
    expect(intersects(one, other)).toBe(expected);
    expect(intersects(other, one)).toBe(expected);
  });

  it.each(DIALECTS)('agrees with a look at every topic name (%s)', (dialect) => {
    fc.assert(
      fc.property(filters, filters, (one, other) => {
        const expected = NAMES.some(
          (topicName) => oracle(one, topicName, dialect) && oracle(other, topicName, dialect),
        );
        expect(intersects(one, other, dialect)).toBe(expected);
      }),
      { numRuns: 400 },
    );
  });
});

describe('uncoveredFilters', () => {
  it('leaves out what another filter covers, and of equal filters all but the first', () => {
    expect(uncoveredFilters(['a/b', 'a/#', 'b', 'a/#', 'a/+'])).toEqual([1, 2]);
  });

  it.each(DIALECTS)('loses no topic name, and keeps no filter that is not needed (%s)', (dialect) => {
    fc.assert(
      fc.property(fc.array(filters, { minLength: 1, maxLength: 5 }), (list) => {
        const kept = uncoveredFilters(list, dialect);
        const selectRule = createRuleSelector(list, dialect);
        // The rule that carries a message has to be one that exists, or the message would be taken for overlap and lost.
        const wrong = NAMES.filter((topicName) => {
          const matching = [...list.keys()].filter((index) => oracle(list[index] ?? '', topicName, dialect));
          const lowestWithRule = matching.find((index) => kept.includes(index));
          return (
            selectRule(topicName) !== lowestWithRule ||
            (lowestWithRule === undefined) !== (matching.length === 0)
          );
        });
        expect(wrong).toEqual([]);
        for (const index of kept) {
          const others = kept.filter((other) => other !== index);
          expect(others.some((other) => covers(list[other] ?? '', list[index] ?? '', dialect))).toBe(false);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('createRuleSelector', () => {
  it('never names a filter that has no rule because a later one covers it', () => {
    const selectRule = createRuleSelector(['stations/7/status', 'stations/#', 'stations/+/status']);
    expect(selectRule('stations/7/status')).toBe(1);
  });

  it('knows no rule for a topic name that no filter matches', () => {
    expect(createRuleSelector(['a'])('b')).toBeUndefined();
  });
});

describe('withinPrefixes', () => {
  it.each<[filter: string, prefixes: string[], expected: boolean]>([
    ['#', [], true],
    ['stations/#', ['stations'], true],
    ['stations/#', ['stations/'], true],
    ['stations/+/status', ['lifts', 'stations'], true],
    ['stations/#', ['stations/berlin'], false],
    ['stations2/#', ['stations'], false],
    ['#', ['stations'], false],
    ['+/status', ['stations'], false],
    ['$share/g/stations/#', ['stations'], true],
  ])('says of %s within %j: %s', (filter, prefixes, expected) => {
    expect(withinPrefixes(filter, prefixes)).toBe(expected);
  });
});

function namesOf(length: number): string[] {
  if (length === 1) return LEVELS;
  return namesOf(length - 1).flatMap((name) => ['a', 'b', 'c', '$x'].map((level) => `${name}/${level}`));
}

/** §4.7 word for word, level by level. */
function oracle(filter: string, topicName: string, dialect: TopicDialect): boolean {
  if (/^[+#]/.test(filter) && topicName.startsWith('$')) return false;
  return walk(filter.split('/'), topicName.split('/'));

  function walk([wanted, ...moreWanted]: string[], levels: string[]): boolean {
    if (wanted === undefined) return levels.length === 0;
    if (wanted === '#') return levels.length > 0 || dialect === 'mqtt';
    const [level, ...moreLevels] = levels;
    if (level === undefined) return false;
    return (wanted === '+' || wanted === level) && walk(moreWanted, moreLevels);
  }
}
