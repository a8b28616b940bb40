import type { QueueSpecs } from '../../domain/tasks/resource-specs.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Mapping, MappingState } from '../../ports/event-source-mappings.ts';
import type { Seen, Step } from './converge-plan.ts';

const MAPPING_POLL_MS = 2_000;
const IDLE_POLL_MS = 3_000;
/** A function runs for 30 s, what a killed one held comes back after 3 minutes, and a mapping takes minutes to be disabled. */
const LONGEST_IN_HAND_MS = 10 * 60_000;
const STABLE_STATES: readonly MappingState[] = ['Enabled', 'Disabled'];

/** What is known of a mapping once it is there and was looked at. */
export type SeenMapping = Pick<Mapping, 'state'>;

/** The step towards queue and mapping being there; the mapping as it was seen when they are. */
export function planQueue(
  { resources }: Task,
  { queue }: QueueSpecs,
  seen: Seen,
): { step: Step } | { mapping: SeenMapping } {
  if (resources.queue?.specHash !== queue.specHash) return { step: { kind: 'ensure-queue' } };
  if (resources.mapping === undefined) {
    const isAnnounced = resources.mappingRequestedAtMs !== undefined;
    return { step: { kind: isAnnounced ? 'create-mapping' : 'announce-mapping' } };
  }
  return seen.mapping === undefined ? { step: { kind: 'look-at-mapping' } } : { mapping: seen.mapping };
}

/** The step towards the mapping being asked to be so; undefined when it was. */
export function planMapping(
  task: Task,
  specs: QueueSpecs,
  mapping: SeenMapping,
  enabled: boolean,
): Step | undefined {
  if (!mappingDiffers(task, specs, mapping, enabled)) return undefined;
  return isStable(mapping) ? { kind: 'update-mapping', enabled } : { kind: 'wait', waitMs: MAPPING_POLL_MS };
}

export function isStable({ state }: SeenMapping): boolean {
  return STABLE_STATES.includes(state);
}

/** The step of waiting for a state that a change is on its way to. */
export function awaitMapping({ state }: SeenMapping, wanted: 'Enabled' | 'Disabled'): Step | undefined {
  return state === wanted ? undefined : { kind: 'wait', waitMs: MAPPING_POLL_MS };
}

/**
 * The step towards no function holding records of the queue. SQS counts those that were given back and are hidden for a
 * while with them; long after the pause was asked for it can only be these.
 */
export function awaitIdle({ updatedAt }: Task, { backlog }: Seen, nowMs: number): Step | undefined {
  if (nowMs - Date.parse(updatedAt) > LONGEST_IN_HAND_MS) return undefined;
  if (backlog === undefined) return { kind: 'look-at-backlog' };
  return backlog.inFlight > 0 ? { kind: 'wait', waitMs: IDLE_POLL_MS } : undefined;
}

/** By what was last asked for, and by a stable state that says otherwise. */
function mappingDiffers(task: Task, specs: QueueSpecs, mapping: SeenMapping, enabled: boolean): boolean {
  const recorded = task.resources.mapping;
  return (
    recorded?.specHash !== specs.mapping.specHash ||
    recorded.enabled !== enabled ||
    mapping.state === (enabled ? 'Disabled' : 'Enabled')
  );
}
