import { z } from 'zod';

/**
 * Times of two events that are nearer than this say nothing of their order: AWS tells when an event occurred to two minutes, each
 * way.
 */
export const CLOCK_SKEW_MS = 5 * 60_000;

/** Outages that were over before they could be told; of more the oldest are forgotten. */
const MAX_UNTOLD = 5;

/** A lifecycle event of AWS IoT Core. */
const PresenceEvent = z.object({
  kind: z.enum(['connected', 'disconnected']),
  atMs: z.int(),
  /** Grows from connection to connection, and begins again when a client was away for about an hour. */
  version: z.int().optional(),
  session: z.string().optional(),
  reason: z.string().optional(),
  /** The client has said goodbye. */
  isClean: z.boolean().optional(),
});
export type PresenceEvent = z.infer<typeof PresenceEvent>;

const Will = z.object({
  atMs: z.int(),
  topicName: z.string(),
  /** In base64. */
  payload: z.string(),
  userProperties: z.array(z.tuple([z.string(), z.string()])),
});
export type Will = z.infer<typeof Will>;

const Outage = z.object({
  /** Record that began it, and that alone tells it: it comes again when the debounce is over. */
  holder: z.string(),
  /** Epoch ms, our clock. */
  dueAtMs: z.int(),
  /** Of the event, or where there is none of the will. */
  sinceMs: z.int(),
  event: PresenceEvent.optional(),
  /** Known when the device was back only after the debounce was over. */
  backAtMs: z.int().optional(),
});
export type Outage = z.infer<typeof Outage>;

/** What is known of one device. */
export const DevicePresence = z.object({
  /** The last event, by the order in which they occurred. */
  newest: PresenceEvent.optional(),
  will: Will.optional(),
  /** Lasts, as far as is known. */
  outage: Outage.optional(),
  /** Were long enough to be told, and ended since; whether they were told is not known. */
  ended: z.array(Outage),
});
export type DevicePresence = z.infer<typeof DevicePresence>;

/** What one message says of a device. */
export type PresenceSignal = { event: PresenceEvent } | { will: Will };

/**
 * What is to be done with the message.
 * - `wait`: keep it, and ask again then.
 * - `report`: tell that the device is offline, and let it go when that is accepted.
 * - `joined`: another message tells it, or has told it.
 * - `passed`: it says nothing that is to be told.
 */
export type PresenceVerdict =
  | { kind: 'wait'; waitMs: number }
  | { kind: 'report'; outage: Outage; will?: Will }
  | { kind: 'joined' }
  | { kind: 'passed' };

/** The message that is looked at, and how its task wants it. */
export interface Observation {
  signal: PresenceSignal;
  recordId: string;
  /** It was a dead letter: nothing waits for it, and whatever tells what it says is its own. */
  isRedriven: boolean;
  nowMs: number;
  debounceMs: number;
  reportsClean: boolean;
}

export interface Observed {
  /** The same object as before where nothing is new. */
  presence: DevicePresence;
  verdict: PresenceVerdict;
}

export const NOTHING_KNOWN: DevicePresence = { ended: [] };

/**
 * Below 0: the first event is the older one; 0: a copy. Versions tell, but not across a reset, for which a client has to be
 * away for longer than clocks differ: then times tell. Both events of a connection have the same version.
 */
export function comparePresence(one: PresenceEvent, other: PresenceEvent): number {
  const apartMs = one.atMs - other.atMs;
  const areComparable = one.version !== undefined && other.version !== undefined;
  if (areComparable && Math.abs(apartMs) <= CLOCK_SKEW_MS) {
    if (one.version !== other.version) return Number(one.version) - Number(other.version);
    if (one.session === other.session) return rank(one) - rank(other);
  }
  return apartMs === 0 ? rank(one) - rank(other) : apartMs;
}

function rank({ kind }: PresenceEvent): number {
  return kind === 'connected' ? 0 : 1;
}

/**
 * Takes one message into account. Whatever the order in which a device's messages come, and however often: when all have come
 * within the debounce, exactly one of them is to tell that it is offline if it is, and none if it is not.
 */
export function observePresence(before: DevicePresence, observation: Observation): Observed {
  const own = ownOutage(before, observation);
  if (own !== undefined) return { presence: before, verdict: verdictOf(own, before, observation) };
  const { signal } = observation;
  return 'will' in signal
    ? observeWill(before, signal.will, observation)
    : observeEvent(before, signal.event, observation);
}

function ownOutage(
  { outage, ended }: DevicePresence,
  { signal, recordId, isRedriven }: Observation,
): Outage | undefined {
  return [...(outage === undefined ? [] : [outage]), ...ended].find(
    (one) => one.holder === recordId || (isRedriven && isTold(one, signal)),
  );
}

function isTold({ event }: Outage, signal: PresenceSignal): boolean {
  if ('will' in signal || event === undefined) return 'will' in signal && event === undefined;
  return comparePresence(event, signal.event) === 0;
}

function verdictOf(
  outage: Outage,
  { will }: DevicePresence,
  { nowMs, isRedriven }: Observation,
): PresenceVerdict {
  const waitMs = outage.dueAtMs - nowMs;
  if (waitMs > 0 && !isRedriven) return { kind: 'wait', waitMs };
  return { kind: 'report', outage, ...(will !== undefined && isNear(will.atMs, outage) ? { will } : {}) };
}

function observeEvent(before: DevicePresence, event: PresenceEvent, observation: Observation): Observed {
  const { newest, outage } = before;
  const order = newest === undefined ? 1 : comparePresence(event, newest);
  if (order < 0) return { presence: before, verdict: { kind: 'passed' } };
  if (order === 0) {
    const isCopy = event.kind === 'disconnected' && outage !== undefined;
    return { presence: before, verdict: { kind: isCopy ? 'joined' : 'passed' } };
  }
  const isOffline = event.kind === 'disconnected' && (event.isClean !== true || observation.reportsClean);
  if (!isOffline) {
    return {
      presence: { ...endOutage(before, event, observation), newest: event },
      verdict: { kind: 'passed' },
    };
  }
  if (outage !== undefined && outage.event === undefined && isNear(event.atMs, outage)) {
    const presence = { ...before, newest: event, outage: { ...outage, event } };
    return { presence, verdict: { kind: 'joined' } };
  }
  // The device was back meanwhile, though nobody has said so yet.
  const ended = endOutage(before, event, observation);
  return begin({ ...ended, newest: event }, { sinceMs: event.atMs, event }, observation);
}

function observeWill(before: DevicePresence, will: Will, observation: Observation): Observed {
  const { newest, outage } = before;
  const isLatest = before.will === undefined || before.will.atMs < will.atMs;
  const presence = isLatest ? { ...before, will } : before;
  if (outage !== undefined) return { presence, verdict: { kind: 'joined' } };
  // It may be of the connection before. If not, the event that it came with tells.
  if (newest !== undefined && will.atMs <= newest.atMs + CLOCK_SKEW_MS) {
    return { presence, verdict: { kind: 'passed' } };
  }
  return begin(presence, { sinceMs: will.atMs }, observation);
}

function begin(
  before: DevicePresence,
  told: Pick<Outage, 'sinceMs' | 'event'>,
  observation: Observation,
): Observed {
  const { recordId, nowMs, debounceMs, isRedriven } = observation;
  const outage: Outage = { holder: recordId, dueAtMs: nowMs + (isRedriven ? 0 : debounceMs), ...told };
  const presence = { ...before, outage };
  return { presence, verdict: verdictOf(outage, presence, observation) };
}

/** A device that is back within the debounce was not offline. After it the outage is told, however late. */
function endOutage(before: DevicePresence, event: PresenceEvent, { nowMs }: Observation): DevicePresence {
  const { outage, ...others } = before;
  if (outage === undefined) return before;
  if (outage.event === undefined && outage.sinceMs > event.atMs + CLOCK_SKEW_MS) return before;
  if (nowMs < outage.dueAtMs) return others;
  const over = event.kind === 'connected' ? { ...outage, backAtMs: event.atMs } : outage;
  return { ...others, ended: [...others.ended, over].slice(-MAX_UNTOLD) };
}

function isNear(atMs: number, { sinceMs }: Outage): boolean {
  return Math.abs(atMs - sinceMs) <= CLOCK_SKEW_MS;
}
