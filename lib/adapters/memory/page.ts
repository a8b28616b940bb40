import { decodeCursor, encodeCursor } from '../../domain/page-cursor.ts';
import type { Page } from '../../ports/task-store.ts';

/**
 * One page of items that are in the order of their keys.
 *
 * @param list - name of the list, kept in its cursors
 * @param descending - the order of `sorted`
 */
export function pageOf<T>(
  list: string,
  sorted: readonly T[],
  keyOf: (item: T) => string,
  { limit, cursor }: { limit: number; cursor?: string },
  descending = false,
): Page<T> {
  const after = cursor === undefined ? undefined : decodeCursor(list, cursor);
  const isLater = (item: T) =>
    after === undefined || (descending ? keyOf(item) < after : keyOf(item) > after);
  const later = sorted.filter(isLater);
  const items = later.slice(0, limit);
  const last = items.at(-1);
  return {
    items: structuredClone(items),
    ...(last !== undefined && later.length > limit ? { nextCursor: encodeCursor(list, keyOf(last)) } : {}),
  };
}

/** Orders by key as the databases do: by code units, not by locale. */
export function byKey<T>(keyOf: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0);
}
