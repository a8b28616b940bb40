import type { Item } from './table.ts';

/** Names and values that an expression refers to by placeholders, so that no name is ever a reserved word. */
interface Placeholders {
  names: Record<string, string>;
  values: Item;
}

/** A part of a condition; writes its placeholders down as it is turned into text. */
export type Condition = (placeholders: Placeholders) => string;

/** @param name - an attribute, or a member of one: `reason.code` */
export const equals = (name: string, value: unknown): Condition => compare(name, '=', value);
export const differs = (name: string, value: unknown): Condition => compare(name, '<>', value);
export const atMost = (name: string, value: number | string): Condition => compare(name, '<=', value);
export const atLeast = (name: string, value: number | string): Condition => compare(name, '>=', value);

export const present =
  (name: string): Condition =>
  (placeholders) =>
    `attribute_exists(${nameOf(placeholders, name)})`;

export const absent =
  (name: string): Condition =>
  (placeholders) =>
    `attribute_not_exists(${nameOf(placeholders, name)})`;

/** A list that has fewer members than that, or is not there. */
export const shorterThan = (name: string, length: number): Condition => {
  const isShort: Condition = (placeholders) =>
    `size(${nameOf(placeholders, name)}) < ${placeholderOf(placeholders, length)}`;
  return any(absent(name), isShort);
};

export const oneOf =
  (name: string, values: readonly unknown[]): Condition =>
  (placeholders) =>
    `${nameOf(placeholders, name)} IN (${values.map((value) => placeholderOf(placeholders, value)).join(', ')})`;

export const all = (...conditions: readonly Condition[]): Condition => joined(conditions, ' AND ');
export const any = (...conditions: readonly Condition[]): Condition => joined(conditions, ' OR ');

/** The members of a command that carry a condition alone. */
export function conditional(condition: Condition) {
  const placeholders = emptyPlaceholders();
  return { ConditionExpression: condition(placeholders), ...attributesOf(placeholders) };
}

export interface Changes {
  /** Undefined members are left as they are. */
  set?: Item;
  /** Set only when the attribute is not there yet. */
  setOnce?: Item;
  remove?: readonly string[];
  /** Values to put behind a list; an absent one counts as empty. */
  append?: Readonly<Record<string, readonly unknown[]>>;
  /** Numbers to add; an absent attribute counts as 0. */
  add?: Readonly<Record<string, number>>;
}

/** The members of an update: what to change, and under which condition; without one also where there is no item yet. */
export function changing(changes: Changes, condition?: Condition) {
  const placeholders = emptyPlaceholders();
  const assign = ([name, value]: [string, unknown]) =>
    `${nameOf(placeholders, name)} = ${placeholderOf(placeholders, value)}`;
  const assignOnce = ([name, value]: [string, unknown]) => {
    const attribute = nameOf(placeholders, name);
    return `${attribute} = if_not_exists(${attribute}, ${placeholderOf(placeholders, value)})`;
  };
  const append = ([name, values]: [string, readonly unknown[]]) => {
    const attribute = nameOf(placeholders, name);
    const [empty, added] = [placeholderOf(placeholders, []), placeholderOf(placeholders, values)];
    return `${attribute} = list_append(if_not_exists(${attribute}, ${empty}), ${added})`;
  };
  const add = ([name, value]: [string, number]) =>
    `${nameOf(placeholders, name)} ${placeholderOf(placeholders, value)}`;
  const sets = [
    ...Object.entries(changes.set ?? {})
      .filter(([, value]) => value !== undefined)
      .map(assign),
    ...Object.entries(changes.setOnce ?? {}).map(assignOnce),
    ...Object.entries(changes.append ?? {}).map(append),
  ];
  const clauses = [
    clause('SET', sets),
    clause(
      'REMOVE',
      (changes.remove ?? []).map((name) => nameOf(placeholders, name)),
    ),
    clause('ADD', Object.entries(changes.add ?? {}).map(add)),
  ];
  const expression = clauses.filter((text) => text !== '').join(' ');
  return {
    // None: the condition alone is asked.
    UpdateExpression: expression === '' ? undefined : expression,
    ConditionExpression: condition?.(placeholders),
    ...attributesOf(placeholders),
  };
}

function compare(name: string, operator: '=' | '<>' | '<=' | '>=', value: unknown): Condition {
  return (placeholders) => `${nameOf(placeholders, name)} ${operator} ${placeholderOf(placeholders, value)}`;
}

function joined(conditions: readonly Condition[], word: string): Condition {
  return (placeholders) => conditions.map((condition) => `(${condition(placeholders)})`).join(word);
}

function nameOf({ names }: Placeholders, path: string): string {
  return path
    .split('.')
    .map((name) => {
      names[`#${name}`] = name;
      return `#${name}`;
    })
    .join('.');
}

function placeholderOf({ values }: Placeholders, value: unknown): string {
  const placeholder = `:v${Object.keys(values).length}`;
  values[placeholder] = value;
  return placeholder;
}

function emptyPlaceholders(): Placeholders {
  return { names: {}, values: {} };
}

/** DynamoDB refuses an empty map of values. */
function attributesOf({ names, values }: Placeholders) {
  return {
    ExpressionAttributeNames: names,
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  };
}

function clause(word: string, parts: readonly string[]): string {
  return parts.length === 0 ? '' : `${word} ${parts.join(', ')}`;
}
