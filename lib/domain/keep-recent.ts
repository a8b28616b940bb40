/**
 * Puts an entry into a map as the one used last, and keeps the map at `max` entries: answers the value that had to go,
 * the one used longest ago. A map in which every use goes through here is a bounded cache.
 */
export function keepRecent<K, V>(map: Map<K, V>, key: K, value: V, max: number): V | undefined {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map;
  if (map.size <= max || oldest === undefined) return undefined;
  map.delete(oldest[0]);
  return oldest[1];
}
