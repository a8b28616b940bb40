/** Clusters that one sandbox can have to do with at a time, generously. */
const MAX_CLUSTERS = 200;

/** When each cluster last took a message of ours, as far as this sandbox knows. */
export interface LastStored {
  note(clusterId: string, atMs: number): void;
  isAfter(clusterId: string, timeMs: number): boolean;
}

export function createLastStored(): LastStored {
  const times = new Map<string, number>();
  return {
    note(clusterId, atMs) {
      times.delete(clusterId);
      times.set(clusterId, atMs);
      const [oldest] = times.keys();
      if (times.size > MAX_CLUSTERS && oldest !== undefined) times.delete(oldest);
    },
    isAfter: (clusterId, timeMs) => (times.get(clusterId) ?? Number.NEGATIVE_INFINITY) > timeMs,
  };
}
