import type { Pair, PairName, PairPath } from './pairs.ts';
import type { FaultStage } from './stage.ts';

/** Something that goes wrong for a while. */
export interface Fault {
  /** As `npm run faults <name>` takes it. */
  name: string;
  /** What is done, in a clause for the table. */
  what: string;
  lastsMs: number;
  /** What it takes beside, as far as that is known: new starts, and what a queue or a lease hides. For the estimate of a run. */
  costsMs?: number;
  /** Pairs that must say `degraded`; the others must go on as if nothing were. */
  degrades: readonly PairName[];
  /** How soon, from when nothing arrives any more; default: 5 s. */
  degradesMs?: number;
  /** Pairs whose messages wait for what is away; default: those that are degraded. */
  holdsUp?: readonly PairName[];
  /** Pairs whose messages must have stood still: otherwise nothing was done; default: those that are degraded. */
  stops?: readonly PairName[];
  /** Pairs whose source's broker is killed or hurt, and may lose what it had accepted. */
  sourceMayLose?: readonly PairName[];
  /** Pairs some of whose messages must come twice: otherwise nothing was done. */
  repeats?: readonly PairName[];
  /** More than the usual. */
  perSecond?: number;
  /** Pairs that get fewer a second: what the emulator cannot carry off afterwards within minutes. */
  mostPerSecond?: Readonly<Partial<Record<PairName, number>>>;
  /** Each source sends so many, and no more; default: as many as come by the end. */
  messages?: number;
  /** Only with `--long`. */
  isLong?: boolean;
  /** How long after its end the first message may arrive; default: that of each path. */
  recoversMs?: number;
  /** Within this after its end has to arrive what was sent before and had not arrived: what was in hand. */
  returnsMs?: Partial<Record<PairPath, number>>;
  /** How long nothing may come before what is missing counts as lost; default: a minute. */
  quietMs?: number;
  /** Functions whose processes may not grow meanwhile. */
  watchesMemory?: readonly PairPath[];
  /** Makes it happen, and answers how it ends; that resolves when what was away is back. */
  begin(context: FaultContext): Promise<() => Promise<void>>;
}

export interface FaultContext {
  stage: FaultStage;
  pairs: readonly Pair[];
  /** It goes wrong only from now on: what was done before was in preparation. */
  strikes(): void;
  /** It goes wrong once more for this pair, which is back now, and has as long as the first time. */
  strikesAgain(pair: PairName): void;
  /** What this pair needs is back, others may have to wait; default: for all of them when the end resolves. */
  isBack(pair: PairName): void;
  /** What was said meanwhile to somebody else than who watches the status. */
  tell(pair: PairName, what: string): void;
  /** A promise that the fault itself has looked at and found missed. */
  miss(pair: PairName, what: string): void;
}
