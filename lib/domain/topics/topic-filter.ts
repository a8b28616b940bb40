import { withoutShare } from './topic-filter-syntax.ts';

/** On AWS IoT Core `a/#` does not match `a`; in MQTT it does (§4.7.1.2). */
export type TopicDialect = 'mqtt' | 'aws-iot';

/**
 * A filter as a set of topic names: the number of levels a name may have, and what the first of them must be.
 * `undefined` stands for any level. Trailing wildcards are in the count, so that equal sets have equal patterns.
 */
interface TopicPattern {
  levels: readonly (string | undefined)[];
  minLevels: number;
  maxLevels: number;
}

/** A compiled filter: does it match this topic name? */
export type TopicMatcher = (topicName: string) => boolean;

/** Compiles a valid filter, for use on many topic names. The share name of a shared subscription does not count. */
export function createTopicMatcher(topicFilter: string, dialect: TopicDialect = 'mqtt'): TopicMatcher {
  const pattern = patternOf(topicFilter, dialect);
  return (topicName) => patternMatches(pattern, topicName.split('/'));
}

/** Whether a valid filter matches a topic name, as in MQTT 5 §4.7. */
export function matches(topicFilter: string, topicName: string, dialect: TopicDialect = 'mqtt'): boolean {
  return createTopicMatcher(topicFilter, dialect)(topicName);
}

/** Whether `outer` matches every topic name that `inner` matches. Both are valid filters. */
export function covers(outer: string, inner: string, dialect: TopicDialect = 'mqtt'): boolean {
  const a = patternOf(outer, dialect);
  const b = patternOf(inner, dialect);
  if (a.minLevels > b.minLevels || a.maxLevels < b.maxLevels) return false;
  if (b.levels[0]?.startsWith('$') && a.levels[0] === undefined) return false;
  return a.levels.every((level, index) => level === undefined || level === b.levels[index]);
}

/** AWS IoT Core allows 7 slashes in a topic name (quota *maximum number of slashes in topic and topic filter*). */
const AWS_IOT_LEVELS = 8;

/** How many levels a topic name can have at most that a valid filter matches. */
export function mostLevelsOf(topicFilter: string, dialect: TopicDialect): number {
  const { maxLevels } = patternOf(topicFilter, dialect);
  return maxLevels === Number.POSITIVE_INFINITY && dialect === 'aws-iot' ? AWS_IOT_LEVELS : maxLevels;
}

/** Whether some topic name is matched by both valid filters. */
export function intersects(one: string, other: string, dialect: TopicDialect = 'mqtt'): boolean {
  const a = patternOf(one, dialect);
  const b = patternOf(other, dialect);
  if (a.minLevels > b.maxLevels || b.minLevels > a.maxLevels) return false;
  if (isReserved(a) !== isReserved(b)) return false;
  return a.levels.every((level, index) => {
    const counterpart = b.levels[index];
    return level === undefined || counterpart === undefined || level === counterpart;
  });
}

/**
 * For each filter what a copy that came by it is known by: the filter, and the earlier ones that overlap it or each other, in
 * their order. Where this is the same in two definitions, the copies by earlier filters have the same keys in both; so only
 * then is a copy of today's key one of several, of which another is known to be by an earlier filter.
 */
export function copyKeys(topicFilters: readonly string[]): string[] {
  const earlier: number[][] = [];
  return topicFilters.map((topicFilter, index) => {
    const overlapping = [...earlier.keys()].filter((other) =>
      intersects(topicFilters[other] ?? '', topicFilter),
    );
    const reached = new Set(overlapping.flatMap((other) => [...(earlier[other] ?? []), other]));
    earlier[index] = [...reached].sort((one, other) => one - other);
    // No filter holds this character [MQTT-4.7.3-2].
    return [topicFilter, ...earlier[index].map((other) => topicFilters[other])].join('\0');
  });
}

/**
 * The numbers (indexes) of the filters that need a rule or subscription of their own: a filter that another one covers
 * gets every message by that one already. Of equal filters the first stays.
 */
export function uncoveredFilters(topicFilters: readonly string[], dialect: TopicDialect = 'mqtt'): number[] {
  return uncovered(topicFilters, dialect).map(([index]) => index);
}

/**
 * Tells which one of a task's rules carries a message when several match it: the lowest number among the filters that
 * have a rule. The copies of the other rules are overlap. Undefined when no filter matches.
 */
export function createRuleSelector(
  topicFilters: readonly string[],
  dialect: TopicDialect = 'mqtt',
): (topicName: string) => number | undefined {
  const rules = uncovered(topicFilters, dialect).map(([ruleNumber, topicFilter]) => ({
    ruleNumber,
    pattern: patternOf(topicFilter, dialect),
  }));
  return (topicName) => {
    const levels = topicName.split('/');
    return rules.find(({ pattern }) => patternMatches(pattern, levels))?.ruleNumber;
  };
}

/**
 * Whether a filter stays within the allowed prefixes: whole topic levels, without wildcards (`stations`, `site/a`). No
 * prefixes: everything is allowed. So with prefixes set, `#` and `+/status` are not.
 */
export function withinPrefixes(topicFilter: string, prefixes: readonly string[]): boolean {
  const levels = withoutShare(topicFilter).split('/');
  return (
    prefixes.length === 0 ||
    prefixes.some((prefix) =>
      prefix
        .replace(/\/$/, '')
        .split('/')
        .every((level, index) => level === levels[index]),
    )
  );
}

function uncovered(
  topicFilters: readonly string[],
  dialect: TopicDialect,
): [index: number, topicFilter: string][] {
  const numbered = [...topicFilters.entries()];
  return numbered.filter(
    ([index, topicFilter]) =>
      !numbered.some(
        ([otherIndex, other]) =>
          otherIndex !== index &&
          covers(other, topicFilter, dialect) &&
          (otherIndex < index || !covers(topicFilter, other, dialect)),
      ),
  );
}

function patternOf(topicFilter: string, dialect: TopicDialect): TopicPattern {
  const parts = withoutShare(topicFilter).split('/');
  const unbounded = parts.at(-1) === '#';
  if (unbounded) parts.pop();
  // A topic name has at least one level, so "#" alone needs one in either dialect.
  const minLevels =
    unbounded && dialect === 'mqtt' ? Math.max(parts.length, 1) : parts.length + Number(unbounded);
  const levels = parts.map((level) => (level === '+' ? undefined : level));
  while (levels.length > 0 && levels.at(-1) === undefined) levels.pop();
  return { levels, minLevels, maxLevels: unbounded ? Number.POSITIVE_INFINITY : parts.length };
}

function patternMatches(pattern: TopicPattern, levels: readonly string[]): boolean {
  if (levels.length < pattern.minLevels || levels.length > pattern.maxLevels) return false;
  // [MQTT-4.7.2-1]: a leading wildcard does not match names that begin with "$".
  if (pattern.levels[0] === undefined && levels[0]?.startsWith('$')) return false;
  return pattern.levels.every((level, index) => level === undefined || level === levels[index]);
}

function isReserved(pattern: TopicPattern): boolean {
  return pattern.levels[0]?.startsWith('$') ?? false;
}
