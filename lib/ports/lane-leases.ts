/** What the owner of a lane does with the messages of its task. */
export type LaneMode =
  /** From source to target. */
  | 'forward'
  /** Session path, paused: from the source into the task's own queue. */
  | 'buffer'
  /** Session path, paused with `discard`: the subscriptions go, the session stays. */
  | 'discard'
  /** The task goes: what it has at the source (session, consumer group) goes too. */
  | 'end';

/** The right to work on one lane of one task. `epoch` fences an owner that slept: every new owner has a higher one. */
export interface LaneLease {
  taskId: string;
  lane: number;
  owner: string;
  epoch: number;
  expiresAtMs: number;
}

/** What a lane's owner says of itself with each renewal; converge reads it. */
export interface LaneState {
  mode: LaneMode;
  /** Version of the task's definition that it works by. */
  version: number;
  /** Its mode is in effect: both ends connected (`forward`, `buffer`), or all done (`discard`, `end`). */
  isEffective: boolean;
  /** Session path: epoch ms at which the target last took a message of this lane directly. Absent: not yet. */
  lastStoredAtMs?: number;
}

/** A lane as the table has it. `owner` is absent when nobody holds it; `expiresAtMs` then tells until when it would have been held. */
export interface LaneRecord {
  taskId: string;
  lane: number;
  epoch: number;
  owner?: string;
  expiresAtMs?: number;
  state?: LaneState;
  /** What the last owner left for the next. */
  memory?: LaneMemory;
}

/** What an owner must know of those before it. */
export interface LaneMemory {
  /** Filters that the broker's session may be subscribed to, as they were subscribed; in the order of the last SUBSCRIBE. */
  subscribedFilters?: readonly string[];
  /** QoS at which the broker has granted all of them; absent: it is not known whether it has. */
  grantedQos?: 0 | 1 | 2;
  /** Session path: epoch ms at which the broker's session began, as its first owner saw it; part of every `mqferry_id`. */
  sessionStartMs?: number;
  /** Pull path: the consumer group stands where this start is; must not be moved there again. An edited one is another. */
  positionedFor?: PullStart;
}

/** Where a pull task wants to start. */
export interface PullStart {
  clusterId: string;
  rocketmqTopic: string;
  consumerGroup: string;
  /** Absent: a group that the user has named goes on where it stands. */
  startFrom?: string;
}

/** Leases on lanes, each an item of the task's partition. Conditional writes throughout. */
export interface LaneLeases {
  /** Undefined: held by somebody else. The same owner again gets the lease it has. */
  acquire(
    lane: { taskId: string; lane: number },
    owner: string,
    durationMs: number,
  ): Promise<{ lease: LaneLease; memory: LaneMemory } | undefined>;
  /** Undefined: no longer ours. Never shortens it: a renewal that comes late changes nothing. */
  renew(lease: LaneLease, durationMs: number, state: LaneState): Promise<LaneLease | undefined>;
  /** Conditional on the lease; false: no longer ours. */
  remember(lease: LaneLease, memory: LaneMemory): Promise<boolean>;
  /** Gives back: the next owner need not wait for the expiry. What is no longer ours is left alone. */
  release(lease: LaneLease): Promise<void>;
  /** Strongly consistent. */
  list(taskId: string): Promise<LaneRecord[]>;
  /** Removes the records of lanes from `firstLane` on that nobody holds; of a deleted task all of them. */
  forget(taskId: string, firstLane: number): Promise<void>;
}
