/** No definition is nearly as deep, and a body of 1 MiB can be deeper than the stack. */
const MAX_DEPTH = 100;

/**
 * Applies a JSON merge patch (RFC 7396): members of objects are merged, null removes a member, everything else, lists too,
 * replaces. Neither argument is changed. What lies deeper than 100 levels is taken as it is, for the schema to refuse.
 */
export function mergePatch(target: unknown, patch: unknown, depth = 0): unknown {
  if (!isObject(patch) || depth === MAX_DEPTH) return patch;
  const members = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, mergePatch(members.get(name), value, depth + 1));
  }
  // fromEntries defines members: one named __proto__ stays a member.
  return Object.fromEntries(members);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
