import type { z } from 'zod';
import type { FieldError } from '../domain/errors/errors.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Most errors that one answer names. */
const MAX_ERRORS = 50;

const TYPES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};

/**
 * The rules a value breaks, one entry per field, in the order of the schema. Quotes no value: a body may hold a secret that
 * was put into the wrong field.
 *
 * @param input - the value that was checked, to tell a missing field from a wrong one
 */
export function fieldErrors(error: z.ZodError, input: unknown): FieldError[] {
  return error.issues.flatMap((issue) => errorsOf(issue, [], input)).slice(0, MAX_ERRORS);
}

/** `source.topicFilters[0]`; members whose name is not plain stand in brackets and quotes. */
export function fieldPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_$][\w$-]*$/.test(name)) return `${text}[${JSON.stringify(name.slice(0, 64))}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

function errorsOf(issue: Issue, prefix: Path, input: unknown): FieldError[] {
  const path = [...prefix, ...issue.path];
  const field = fieldPath(path);
  if (valueAt(input, path) === undefined) {
    return [{ field, code: 'FIELD_MISSING', message: 'is required: add it' }];
  }
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        field: fieldPath([...path, key]),
        code: 'UNKNOWN_FIELD',
        message: 'is not known here: correct its name (GET /openapi.json has them all), or leave it out',
      }));
    case 'invalid_union':
      return unionErrors(issue, path, input);
    case 'invalid_type':
      return [{ field, code: 'TYPE_WRONG', message: `must be ${TYPES[issue.expected] ?? issue.expected}` }];
    case 'invalid_value':
      return [{ field, code: 'VALUE_NOT_ALLOWED', message: `must be ${alternatives(issue.values)}` }];
    case 'too_small':
      return [
        { field, code: 'TOO_SMALL', message: `must be ${boundary(issue.origin, 'at least', issue.minimum)}` },
      ];
    case 'too_big':
      return [
        { field, code: 'TOO_BIG', message: `must be ${boundary(issue.origin, 'at most', issue.maximum)}` },
      ];
    case 'invalid_format':
      return [{ field, code: 'FORMAT_WRONG', message: `must be ${formatRule(issue)}` }];
    default:
      return [{ field, code: 'VALUE_WRONG', message: issue.message }];
  }
}

/**
 * Of the shapes a field may have, the one the caller meant: a discriminator that fits none is said as such, else the shape
 * with the fewest broken rules, since naming the rules of the others would only mislead.
 */
function unionErrors(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  input: unknown,
): FieldError[] {
  const field = fieldPath(path);
  if (issue.discriminator !== undefined) {
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
    const rule = options.length === 0 ? 'one of the known values' : alternatives(options);
    return [{ field, code: 'VALUE_NOT_ALLOWED', message: `must be ${rule}` }];
  }
  const perShape = issue.errors.map((issues) => issues.flatMap((inner) => errorsOf(inner, path, input)));
  if (perShape.every((errors) => errors.length === 1 && errors[0]?.field === field)) {
    const rules = new Set(perShape.flat().map(({ message }) => message.replace(/^must be /, '')));
    return [
      {
        field,
        code: perShape[0]?.[0]?.code ?? 'VALUE_WRONG',
        message: `must be ${[...rules].join(', or ')}`,
      },
    ];
  }
  const [first = [], ...others] = perShape;
  return others.reduce((best, shape) => (shape.length < best.length ? shape : best), first);
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Record<PropertyKey, unknown>)[key];
  }, input);
}

function alternatives(values: readonly unknown[]): string {
  const quoted = values.map((value) => JSON.stringify(value));
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

function boundary(origin: string, relation: string, limit: number | bigint): string {
  if (origin === 'string') return `${relation} ${limit} characters long`;
  if (origin === 'array' || origin === 'set') return `a list of ${relation} ${limit}`;
  return `${relation} ${limit}`;
}

function formatRule(issue: Extract<Issue, { code: 'invalid_format' }>): string {
  if (issue.format === 'datetime') return 'a time such as 2027-01-31T12:00:00Z';
  // Our own patterns carry their rule as the message.
  return issue.message;
}
