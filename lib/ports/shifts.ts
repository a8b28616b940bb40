import type { LaneMode } from './lane-leases.ts';

/** The two kinds of shifts: one function each. */
export const SHIFT_KINDS = ['pull', 'session'] as const;
export type ShiftKind = (typeof SHIFT_KINDS)[number];

/** One task that shifts have to work on. */
export interface RosterEntry {
  taskId: string;
  /** Version of the definition to work by. */
  version: number;
  mode: LaneMode;
  /** How many lanes it has, numbered from 0. */
  lanes: number;
  /**
   * Session path: lanes from `lanes` up to before this number, which the task had and has no more. Whatever `mode` says, they are
   * to be ended: a session that is left alone goes on getting its share of the messages (protocol-design-rule 6).
   */
  endedLanes?: number;
}

/** The tasks of all shifts of a kind (the item `ACTIVE`): converge writes it, running shifts look at it each second. */
export interface ShiftRoster {
  read(kind: ShiftKind): Promise<RosterEntry[]>;
  /** Adds or replaces one task's entry, whatever happens to others meanwhile. */
  put(kind: ShiftKind, entry: RosterEntry): Promise<void>;
  remove(kind: ShiftKind, taskId: string): Promise<void>;
}

/** A running shift's place. There are as many as the lanes need; each is one invocation (or process) at a time. */
export interface ShiftSlot {
  kind: ShiftKind;
  slot: number;
  owner: string;
  epoch: number;
  expiresAtMs: number;
}

/** A slot as the table has it. */
export interface SlotRecord {
  kind: ShiftKind;
  slot: number;
  epoch: number;
  /** Absent, or expired: nobody works there. */
  owner?: string;
  expiresAtMs?: number;
  /** Epoch ms at which its owner begins to give back its lanes; absent for a long-lived process. */
  endsAtMs?: number;
  codeVersion?: string;
  /** Its owner gives back its lanes: who waits for them may take them. */
  isHandingOver?: boolean;
  /** Who waits, warm, to take over. */
  standby?: { owner: string; codeVersion: string; expiresAtMs: number };
}

/** Slots of shifts. Conditional writes throughout. */
export interface ShiftSlots {
  /** Strongly consistent. */
  list(kind: ShiftKind): Promise<SlotRecord[]>;
  /** Undefined: somebody else works there. */
  take(
    slot: { kind: ShiftKind; slot: number },
    holder: { owner: string; endsAtMs?: number; codeVersion: string },
    durationMs: number,
  ): Promise<ShiftSlot | undefined>;
  /** Answers the record as it is now (its standby); undefined: no longer ours. */
  renew(
    slot: ShiftSlot,
    durationMs: number,
    state?: { isHandingOver: boolean },
  ): Promise<{ slot: ShiftSlot; record: SlotRecord } | undefined>;
  release(slot: ShiftSlot): Promise<void>;
  /** Says that we wait for this slot; false: somebody else does already. */
  standBy(
    slot: { kind: ShiftKind; slot: number },
    standby: { owner: string; codeVersion: string },
    durationMs: number,
  ): Promise<boolean>;
}

/** Starts one more shift function, asynchronously. */
export interface ShiftStarter {
  start(kind: ShiftKind): Promise<void>;
}
