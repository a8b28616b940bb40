import type { FieldError } from './errors.ts';

/** Something that is allowed, and yet may surprise. */
export type Warning = FieldError;

/** What the rules say of a definition. */
export interface DefinitionCheck {
  errors: FieldError[];
  warnings: Warning[];
}

export function combineChecks(checks: readonly DefinitionCheck[]): DefinitionCheck {
  return {
    errors: checks.flatMap(({ errors }) => errors),
    warnings: checks.flatMap(({ warnings }) => warnings),
  };
}
