/** What all functions of the stack have to know of it. */
export interface StackState {
  /** Set once the removal of the stack has begun: nothing is made, changed or started any more, converge stops. */
  removing: boolean;
  /** Concurrency that the account leaves unreserved, as converge last saw it; absent until then. */
  unreservedConcurrency?: number;
  /** Concurrency units that tasks wanted running have reserved. */
  usedConcurrency: number;
}

/** The stack's own records. */
export interface StackStore {
  /** Strongly consistent. */
  read(): Promise<StackState>;
  /** Final. The clean-up calls it first. */
  markRemoving(at: string): Promise<void>;
  /** Converge calls it after `GetAccountSettings`. */
  recordUnreservedConcurrency(units: number, at: string): Promise<void>;
}
