import type { ClusterKind } from '../clusters/cluster.ts';
import type { Violation } from '../errors/violation.ts';
import {
  covers,
  intersects,
  type TopicDialect,
  uncoveredFilters,
  withinPrefixes,
} from '../topics/topic-filter.ts';
import { withoutShare } from '../topics/topic-filter-syntax.ts';
import { checkOf, combineChecks, type DefinitionCheck, type Warning } from './definition-check.ts';

export interface TopicFilterContext {
  kind: ClusterKind;
  /** Whole topic levels; none: every topic may be read. */
  allowedTopicPrefixes: readonly string[];
  /** The syntax that the path allows. */
  checkSyntax: (topicFilter: string) => Violation | undefined;
}

/** How topic filters are matched on a cluster. */
export function dialectOf(kind: ClusterKind): TopicDialect {
  return kind === 'aws-iot' ? 'aws-iot' : 'mqtt';
}

/** Checks the topic filters of a task, each and together. */
export function checkTopicFilters(
  topicFilters: readonly string[],
  { kind, allowedTopicPrefixes, checkSyntax }: TopicFilterContext,
): DefinitionCheck {
  const checks = topicFilters.map((topicFilter, index): DefinitionCheck => {
    const field = fieldOf(index);
    const violation = checkSyntax(topicFilter) ?? notAllowed(topicFilter, allowedTopicPrefixes);
    if (violation !== undefined) return checkOf(field, violation);
    return {
      errors: [],
      warnings: rootWildcard(topicFilter, kind).map((warning) => ({ field, ...warning })),
    };
  });
  const isValid = checks.every(({ errors }) => errors.length === 0);
  const covered = isValid ? coveredFilters(topicFilters, dialectOf(kind)) : [];
  return combineChecks([...checks, { errors: [], warnings: covered }]);
}

/**
 * Pairs of filters that both match some topic, while neither covers the other. The second one's field, and the index of the
 * first.
 */
export function overlappingFilters(
  topicFilters: readonly string[],
  dialect: TopicDialect,
): Array<{ field: string; other: number }> {
  const needed = uncoveredFilters(topicFilters, dialect);
  return needed.flatMap((index, position) => {
    const other = needed
      .slice(0, position)
      .find((earlier) => intersects(topicFilters[earlier] ?? '', topicFilters[index] ?? '', dialect));
    return other === undefined ? [] : [{ field: fieldOf(index), other }];
  });
}

function fieldOf(index: number): string {
  return `source.topicFilters[${index}]`;
}

function notAllowed(topicFilter: string, prefixes: readonly string[]): Violation | undefined {
  if (withinPrefixes(topicFilter, prefixes)) return undefined;
  const allowed = prefixes.map((prefix) => `${prefix.replace(/\/$/, '')}/#`).join(', ');
  return {
    code: 'TOPIC_FILTER_NOT_ALLOWED',
    message: `this stack may read only within ${allowed}: begin the filter with one of these levels`,
  };
}

function rootWildcard(topicFilter: string, kind: ClusterKind): Violation[] {
  const [first] = withoutShare(topicFilter).split('/');
  if (first !== '+' && first !== '#') return [];
  const whose = kind === 'aws-iot' ? 'everybody in this account and region' : 'everybody on this broker';
  return [
    {
      code: 'ROOT_WILDCARD',
      message: `a wildcard as the first level reads the topics of ${whose}, and each message costs: name the first level if you can`,
    },
  ];
}

/** A filter that another one covers adds nothing: its messages come by the other. Of equal filters the first stays. */
function coveredFilters(topicFilters: readonly string[], dialect: TopicDialect): Warning[] {
  return topicFilters.flatMap((inner, index) => {
    const outer = topicFilters.findIndex(
      (candidate, other) =>
        other !== index &&
        covers(candidate, inner, dialect) &&
        (other < index || !covers(inner, candidate, dialect)),
    );
    if (outer === -1) return [];
    return [
      {
        field: fieldOf(index),
        code: 'TOPIC_FILTER_COVERED',
        message: `${fieldOf(outer)} matches all of its topics already: it adds nothing`,
      },
    ];
  });
}
