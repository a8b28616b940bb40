import { z } from 'zod';

const Members = z.record(z.string(), z.unknown());

/**
 * Body of `PATCH /tasks/{taskId}`: a JSON merge patch (RFC 7396) of the definition. Members of `source`, `target` and
 * `options` that are not named stay as they are, null removes one, lists are replaced. The outcome has to be a definition.
 */
export const TaskPatch = z.strictObject({
  taskName: z.string().optional(),
  description: z.string().nullable().optional(),
  source: Members.optional(),
  target: Members.optional(),
  options: Members.nullable().optional(),
});
export type TaskPatch = z.infer<typeof TaskPatch>;
