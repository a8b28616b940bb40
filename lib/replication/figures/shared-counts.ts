import { addCounted, type Counted } from '../../domain/figures/counted.ts';

/** What is counted once and told to several, who ask at times of their own. */
export interface SharedCounts<T extends Counted> {
  /** To be counted on; the same object all the time. */
  readonly counts: T;
  /** Somebody who asks: each time for what was counted since the last. */
  reader(): () => T;
}

export function createSharedCounts<T extends Counted>(newCounts: () => T): SharedCounts<T> {
  const counts = newCounts();
  const shares: { untold: T }[] = [];

  return {
    counts,
    reader() {
      const share = { untold: newCounts() };
      shares.push(share);
      return () => {
        for (const { untold } of shares) addCounted(untold, counts);
        Object.assign(counts, newCounts());
        const told = share.untold;
        share.untold = newCounts();
        return told;
      };
    },
  };
}
