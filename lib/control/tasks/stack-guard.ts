import { stackRemoving } from '../../domain/errors/request-errors.ts';
import type { StackState, StackStore } from '../../ports/stack-store.ts';

/** Looks at the stack before something is made, changed or started in it. */
export type StackGuard = () => Promise<{ concurrencyLimit: number }>;

/**
 * Refuses (409 `STACK_REMOVING`) once the stack is being removed. Otherwise answers how many invocations of the batching
 * function all running tasks may use together: the stack's parameter, or less where the account leaves less unreserved.
 */
export function createStackGuard({
  stack,
  ruleConcurrency,
}: {
  stack: Pick<StackStore, 'read'>;
  ruleConcurrency: number;
}): StackGuard {
  return async () => {
    const state = await stack.read();
    if (state.removing) throw stackRemoving();
    return { concurrencyLimit: concurrencyLimitOf(state, ruleConcurrency) };
  };
}

/** How many invocations all running tasks may use together. */
export function concurrencyLimitOf(
  { unreservedConcurrency }: Pick<StackState, 'unreservedConcurrency'>,
  ruleConcurrency: number,
): number {
  return Math.min(ruleConcurrency, unreservedConcurrency ?? ruleConcurrency);
}
