import type { z } from 'zod';
import { RequestError } from '../domain/errors/errors.ts';
import { fieldErrors } from './field-errors.ts';

/**
 * The value as the schema has it. Throws `RequestError` 400 with this code, which names every field that breaks a rule.
 *
 * @param what - the value in a sentence: "the body"
 */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  { code, what }: { code: string; what: string },
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error, value);
  throw new RequestError(400, code, sentenceOf(what, errors), { errors });
}

function sentenceOf(what: string, errors: readonly { field: string; message: string }[]): string {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `${what} breaks a rule: ${first?.field || what} ${first?.message}${more}`;
}
