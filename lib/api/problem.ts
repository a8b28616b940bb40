import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import type { RequestError } from '../domain/errors/errors.ts';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** One rule that one field breaks. */
export const FieldProblem = z
  .object({
    field: z
      .string()
      .meta({ description: 'Path of the field, such as source.topicFilters[0]; empty: the whole body' }),
    code: z.string().meta({ description: 'Stable, upper snake case' }),
    message: z.string().meta({ description: 'The rule, and what would be right' }),
  })
  .meta({ description: 'One rule that one field breaks' });

/** What was accepted, and yet may surprise: same shape as the refusals. */
export const Warnings = z
  .array(FieldProblem)
  .meta({ description: 'After a change: what was accepted, and yet may surprise' });

/** Problem document of RFC 9457. Some codes add members, such as `currentVersion` or `free`. */
export const Problem = z
  .looseObject({
    type: z.literal('about:blank'),
    title: z.string().meta({ description: 'The status in words' }),
    status: z.int(),
    detail: z.string().meta({ description: 'What did not hold, and what would be right' }),
    instance: z.string().meta({ description: 'Id of the request, to be found in the logs' }),
    code: z
      .string()
      .meta({ description: 'Stable, upper snake case; see docs/errors.md', example: 'TASK_RUNNING' }),
    errors: z.array(FieldProblem),
  })
  .meta({ description: 'Problem document of RFC 9457' });
export type Problem = z.infer<typeof Problem>;

/** The problem document of a refused request. */
export function problemOf(error: RequestError, requestId: string): Problem {
  return {
    ...error.extensions,
    type: 'about:blank',
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    detail: error.message,
    instance: requestId,
    code: error.code,
    errors: [...error.errors],
  };
}
