import type { UserProperty } from '../domain/messages/message.ts';

/** Beyond so many the work of insertion grows too fast. */
const FEW = 64;

/**
 * Sorts by name in place, by UTF-16 code units; equal names keep their order. Messages have few properties, mostly in order already:
 * inserting one by one takes no memory, unlike `Array.prototype.sort`, which on the pull path was a twelfth of all that was allocated.
 */
export function sortByName(properties: UserProperty[]): UserProperty[] {
  if (properties.length > FEW) {
    return properties.sort((one, other) => (one[0] < other[0] ? -1 : Number(one[0] > other[0])));
  }
  for (let at = 1; at < properties.length; at += 1) {
    const property = properties[at] as UserProperty;
    const name = property[0];
    let place = at;
    for (; place > 0; place -= 1) {
      const before = properties[place - 1] as UserProperty;
      if (before[0] <= name) break;
      properties[place] = before;
    }
    properties[place] = property;
  }
  return properties;
}
