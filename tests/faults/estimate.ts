import type { Fault } from './fault.ts';

/**
 * What each fault takes beside its own time: 3 s of traffic before and 4 s after, until the first message arrives and until all
 * have, and until every task says that it runs.
 */
const PER_FAULT_MS = 33_000;
/** The stack comes up and is deployed, functions are led through the relays, four tasks start, RocketMQ gets warm. */
const STAGE_MS = 150_000;
/** A stage of its own, its carriers' start, the outage, and until nothing more comes to who has lost something. */
export const OUTAGE_COSTS_MS = 140_000;

/** How long these take, about. */
export function estimateMs(faults: readonly Pick<Fault, 'lastsMs' | 'costsMs'>[]): number {
  if (faults.length === 0) return 0;
  return faults.reduce((sum, { lastsMs, costsMs = 0 }) => sum + lastsMs + costsMs + PER_FAULT_MS, STAGE_MS);
}
