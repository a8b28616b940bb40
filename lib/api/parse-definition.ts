import { TaskDefinition } from '../domain/tasks/task.ts';
import { checked } from './checked.ts';

/** A task's definition, as an edit has left it. Throws `RequestError` 400 `BODY_INVALID` with the fields that are wrong. */
export function parseDefinition(merged: unknown): TaskDefinition {
  return checked(TaskDefinition, merged, { code: 'BODY_INVALID', what: 'the edited definition' });
}
