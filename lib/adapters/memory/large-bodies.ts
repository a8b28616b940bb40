import type { LargeBodies } from '../../ports/large-bodies.ts';

export function createMemoryLargeBodies(): LargeBodies {
  const bodies = new Map<string, string>();
  return {
    async put(key, body) {
      bodies.set(key, body);
    },
    async get(key) {
      return bodies.get(key);
    },
    // Nothing expires here.
    renew: async () => undefined,
    async remove(key) {
      bodies.delete(key);
    },
  };
}
