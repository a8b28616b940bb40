import type { StackStore } from '../../ports/stack-store.ts';
import { changing } from './expressions.ts';
import { getItem } from './read.ts';
import { concurrencyKey, type Item, stackStateKey, type Table } from './table.ts';
import { update } from './write.ts';

/** The stack's own items: its state, and the concurrency its tasks have reserved. */
export function createDynamoStackStore(table: Table): StackStore {
  const set = async (changes: Item): Promise<void> => {
    await update(table, { Key: stackStateKey, ...changing({ set: changes }) });
  };

  return {
    async read() {
      const [state, concurrency] = await Promise.all([
        getItem(table, stackStateKey),
        getItem(table, concurrencyKey),
      ]);
      return {
        removing: state?.removing === true,
        usedConcurrency: Number(concurrency?.used ?? 0),
        ...(state?.unreservedConcurrency === undefined
          ? {}
          : { unreservedConcurrency: Number(state.unreservedConcurrency) }),
      };
    },
    markRemoving: (at) => set({ removing: true, removingSince: at }),
    recordUnreservedConcurrency: (units, at) =>
      set({ unreservedConcurrency: units, unreservedConcurrencyAt: at }),
  };
}
