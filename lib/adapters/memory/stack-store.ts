import type { StackStore } from '../../ports/stack-store.ts';
import type { MemoryState } from './state.ts';

export function createMemoryStackStore(state: MemoryState): StackStore {
  return {
    async read() {
      const { removing, usedConcurrency, unreservedConcurrency } = state;
      return {
        removing,
        usedConcurrency,
        ...(unreservedConcurrency === undefined ? {} : { unreservedConcurrency }),
      };
    },
    async markRemoving() {
      state.removing = true;
    },
    async recordUnreservedConcurrency(units) {
      state.unreservedConcurrency = units;
    },
  };
}
