import type { Cluster } from '../../domain/clusters/cluster.ts';
import type { BridgeError } from '../../domain/errors/errors.ts';
import type { CanaryFailure } from '../../domain/tasks/canary.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { LaneMemory, LaneMode } from '../../ports/lane-leases.ts';

/** What a lane is opened with. Task and clusters stay as they are: a change of theirs opens another lane. */
export interface LaneContext {
  task: Task;
  source: Cluster;
  target: Cluster;
  /** From 0. */
  lane: number;
  mode: LaneMode;
  /** What the last owner of this lane left. */
  memory: LaneMemory;
  /** What lane 0 of the task has left; its own memory for lane 0. */
  firstLaneMemory: LaneMemory;
  /** Replaces the lane's memory, conditional on the lease; false: it is no longer ours. */
  remember(memory: LaneMemory): Promise<boolean>;
  /**
   * False once the lease has run out by our clock, or is lost: then nothing may be published, sent or accepted any more. To be
   * asked right before each of these.
   */
  isOurs(): boolean;
  health: LaneHealth;
}

/** What a lane learns about the two ends of its task, said to the task's status. */
export interface LaneHealth {
  /** The mode is in effect: both ends are connected, or messages go through. Takes back what `failing` said. */
  working(): void;
  /**
   * An end, by default the target, does not take part: `degraded` within seconds, `failed` where nothing else helps. Messages stay
   * where they are.
   */
  failing(error: BridgeError, end?: 'source' | 'target'): void;
  /** How the last canary fared. */
  canary(verdict: 'through' | CanaryFailure): void;
}

/**
 * One lane at work: what a shift runs for each lease that it holds. It retries by itself, within its own bounds, whatever
 * heals by itself; what needs a new connection to the source ends it, and the shift opens another after its next renewal.
 */
export interface Lane {
  /** Resolves, and never rejects, when the lane does nothing more. */
  readonly ended: Promise<LaneEnd>;
  /** Whether the mode is in effect by now. */
  isEffective(): boolean;
  /** Epoch ms of the last message that it met; 0 when there was none yet. */
  lastMessageAtMs(): number;
  /** Session path: epoch ms at which the target last took a message of this lane directly; 0: not yet. */
  lastStoredAtMs?(): number;
  /**
   * Takes nothing more from the source, settles what it holds for at most so long, and leaves the rest at its source. When it
   * resolves nothing is published, sent or accepted any more; connections stay open until `close`, so that a new owner
   * of the lease takes them over without a gap.
   */
  drain(maxMs: number): Promise<void>;
  /** Ends everything at once. Also the way to end a lane whose lease is lost: nothing more leaves. */
  close(): Promise<void>;
}

/** Why a lane ended. `done`: modes `discard` and `end` are carried out. `closed`: it was told to. */
export type LaneEnd = { reason: 'done' } | { reason: 'closed' } | { reason: 'failed'; error: BridgeError };

/** Opens a lane; answers at once, connecting goes on inside. */
export type OpenLane = (context: LaneContext) => Lane;
