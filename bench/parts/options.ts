/** How much each bench carries. The bars are for the defaults; fewer messages prove the bench itself. */
export interface BenchOptions {
  messages: number;
  rounds: number;
}

export const DEFAULTS: BenchOptions = { messages: 300_000, rounds: 3 };
