import { createMemoryClusterStore } from '../../lib/adapters/memory/cluster-store.ts';
import { createMemoryStackStore } from '../../lib/adapters/memory/stack-store.ts';
import { createMemoryState } from '../../lib/adapters/memory/state.ts';
import { createMemoryTaskStore } from '../../lib/adapters/memory/task-store.ts';
import type { Stores } from '../contract/stores.ts';
import { createManualClock } from './tasks.ts';

/** The stores of one fresh stack in memory. */
export async function buildMemoryStores(): Promise<Stores> {
  const state = createMemoryState();
  const clock = createManualClock();
  return {
    tasks: createMemoryTaskStore(state, clock),
    clusters: createMemoryClusterStore(state),
    stack: createMemoryStackStore(state),
    clock,
  };
}
