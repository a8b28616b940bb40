import type { Violation } from '../errors/violation.ts';
import type { RocketmqToMqttDefinition } from '../tasks/task.ts';
import { isCarried } from '../text.ts';
import { findSql92Fault } from './sql92.ts';

export type RocketmqFilter = NonNullable<RocketmqToMqttDefinition['source']['filter']>;

/** Whether a filter lets every message of its topic through. */
export function passesAll(filter: RocketmqFilter | undefined): boolean {
  return filter === undefined || (filter.type === 'tag' && filter.expression.trim() === '*');
}

/** Checks the filter of a source, which the cluster applies: it would say of a wrong one only that there is nothing to receive. */
export function checkRocketmqFilter({ type, expression }: RocketmqFilter): Violation | undefined {
  return type === 'tag' ? checkTags(expression) : checkSql92(expression);
}

function checkTags(expression: string): Violation | undefined {
  const tags = expression.split('||').map((tag) => tag.trim());
  const fault = tags.length > 1 && tags.includes('*') ? '"*" stands alone, for all messages' : tagFault(tags);
  if (fault === undefined) return undefined;
  return { code: 'FILTER_INVALID', message: `${fault}; right is for example alarm || status` };
}

function tagFault(tags: readonly string[]): string | undefined {
  if (tags.includes('')) return 'between "||" there has to be a tag';
  if (tags.some((tag) => tag.includes('|'))) return 'tags are separated by "||", and hold no "|"';
  return tags.every(isCarried) ? undefined : 'a tag holds no control character';
}

function checkSql92(expression: string): Violation | undefined {
  const fault = findSql92Fault(expression);
  if (fault === undefined) return undefined;
  return { code: 'FILTER_INVALID', message: `at character ${fault.position + 1}: ${fault.message}` };
}
