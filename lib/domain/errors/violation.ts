import type { FieldError } from './errors.ts';

/** A rule that a value breaks: stable code, and a sentence with the rule and what would be right. The caller knows the field. */
export type Violation = Omit<FieldError, 'field'>;
