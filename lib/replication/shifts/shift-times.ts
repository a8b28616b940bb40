/** Durations of a shift, in milliseconds. */
export interface ShiftTimes {
  /** How long a lease on a lane or slot lasts: what a killed shift held is free after that. */
  leaseMs: number;
  renewMs: number;
  /** After a renewal that the table did not answer: the lease has not long to last. */
  renewAgainMs: number;
  /** A lease is given up so long before its end: clocks differ, and a call under way takes time. */
  marginMs: number;
  /** How often a shift looks at the roster. */
  pollMs: number;
  /** How long a lane may settle what it holds, and what its receives under way bring, before it is given back. */
  drainMs: number;
  /** How long the old owner of a session keeps its connection open for the new one to take over. */
  takeoverMs: number;
  /** A function's shift begins to hand over so long before the function is ended by force. */
  handOverBeforeMs: number;
  /** A tick that finds a shift with less than this left until its hand-over stays as its standby. */
  standbyBeforeMs: number;
  /** A lane that another shift holds is looked at again after this. */
  heldElsewhereMs: number;
}

/** What the functions use: a schedule comes each minute, a function lasts 15 (aws-design-rule 15). */
export const SHIFT_TIMES: ShiftTimes = {
  leaseMs: 20_000,
  renewMs: 6_000,
  renewAgainMs: 1_000,
  marginMs: 2_000,
  pollMs: 1_000,
  // A receive lasts 5 s, what it brings some more.
  drainMs: 8_000,
  takeoverMs: 3_000,
  handOverBeforeMs: 60_000,
  standbyBeforeMs: 90_000,
  heldElsewhereMs: 5_000,
};
