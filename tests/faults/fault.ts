import type { Pair, PairName } from './pairs.ts';
import type { FaultStage } from './stage.ts';

/** Something that goes wrong for a while. */
export interface Fault {
  /** As `npm run faults <name>` takes it. */
  name: string;
  /** What is done, in a clause for the table. */
  what: string;
  lastsMs: number;
  /** Pairs that must say `degraded`; the others must go on as if nothing were. */
  degrades: readonly PairName[];
  /** Pairs whose messages wait for what is away; default: those that are degraded. */
  holdsUp?: readonly PairName[];
  /** More than the usual. */
  perSecond?: number;
  /** Only with `--long`. */
  isLong?: boolean;
  /** How long after its end the first message may arrive; default: that of each path. */
  recoversMs?: number;
  /** How long nothing may come before what is missing counts as lost; default: a minute. */
  quietMs?: number;
  /** Makes it happen, and answers how it ends; that resolves when what was away is back. */
  begin(context: FaultContext): Promise<() => Promise<void>>;
}

export interface FaultContext {
  stage: FaultStage;
  pairs: readonly Pair[];
}
