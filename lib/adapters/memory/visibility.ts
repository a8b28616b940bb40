import type { Visibility, VisibilityChange } from '../../ports/visibility.ts';

export interface MemoryVisibility extends Visibility {
  /** Every change that was taken, in order. */
  readonly changes: ReadonlyArray<VisibilityChange & { queueArn: string }>;
}

/** Visibility that remembers. `takes` scripts refusals. */
export function createMemoryVisibility(
  takes: (change: VisibilityChange) => boolean = () => true,
): MemoryVisibility {
  const taken: Array<VisibilityChange & { queueArn: string }> = [];
  return {
    changes: taken,
    async change(queueArn, changes) {
      return changes.map((change) => {
        const answer = takes(change);
        if (answer) taken.push({ ...change, queueArn });
        return answer;
      });
    },
  };
}
