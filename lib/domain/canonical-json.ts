/** JSON with members in the order of their names: the same text for equal values. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, sortedMembers) ?? 'null';
}

function sortedMembers(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
