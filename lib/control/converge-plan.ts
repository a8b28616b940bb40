import type { ResourceSpecs } from '../domain/resource-specs.ts';
import type { Task } from '../domain/task.ts';
import type { Mapping, MappingState } from '../ports/event-source-mappings.ts';
import type { QueueBacklog } from '../ports/task-queues.ts';
import { nextRuleChange, nextRuleToDisable, nextRuleToEnable, type RuleStep } from './converge-rules.ts';

/** What was looked at since the last change or wait. Absent: not looked at. */
export interface Seen {
  mapping?: Pick<Mapping, 'state'>;
  backlog?: QueueBacklog;
}

/** One step of converge: at most one change in the cloud, then one record in the table. */
export type Step =
  | RuleStep
  | { kind: 'ensure-queue' }
  | { kind: 'announce-mapping' }
  | { kind: 'create-mapping' }
  | { kind: 'look-at-mapping' }
  | { kind: 'update-mapping'; enabled: boolean }
  | { kind: 'look-at-backlog' }
  | { kind: 'settle-rules' }
  | { kind: 'record-status'; status: 'starting' | 'running' | 'paused' }
  | { kind: 'wait'; waitMs: number }
  | { kind: 'done' };

const MAPPING_POLL_MS = 2_000;
const IDLE_POLL_MS = 3_000;
/** A function runs for 30 s, what a killed one held comes back after 3 minutes, and a mapping takes minutes to be disabled. */
const LONGEST_IN_HAND_MS = 10 * 60_000;
const STABLE_STATES: readonly MappingState[] = ['Enabled', 'Disabled'];

/**
 * The next step towards a task that is wanted running or paused, from what was recorded and what was seen.
 *
 * Start: everything up to date, mapping `Enabled`, then the rules, lowest number first. Pause: rules that must not be
 * enabled first, then the mapping, until it is `Disabled` and nothing is in hand. `degraded` is the data plane's word
 * and stays.
 */
export function planNext(task: Task, specs: ResourceSpecs, seen: Seen, nowMs: number): Step {
  const { resources } = task;
  if (resources.queue?.specHash !== specs.queue.specHash) return { kind: 'ensure-queue' };
  if (resources.mapping === undefined) {
    return { kind: resources.mappingRequestedAtMs === undefined ? 'announce-mapping' : 'create-mapping' };
  }
  if (seen.mapping === undefined) return { kind: 'look-at-mapping' };
  return task.desired === 'running'
    ? planRunning(task, specs, seen.mapping)
    : planPaused(task, specs, seen.mapping, handsOf(task, seen, nowMs));
}

/** What is seen of a task that is as it is wanted, running or paused. */
const AS_WANTED: Readonly<Record<'running' | 'paused', Seen>> = {
  running: { mapping: { state: 'Enabled' } },
  paused: { mapping: { state: 'Disabled' }, backlog: { waiting: 0, inFlight: 0 } },
};

/**
 * Whether a task may need converge at all, told by the table alone: whether anything would be left to do if the cloud were
 * as recorded. A failed task waits for its user or the audit.
 */
export function needsConverge(task: Task, specs: ResourceSpecs): boolean {
  if (task.status === 'failed') return false;
  return task.desired === 'deleted' || planNext(task, specs, AS_WANTED[task.desired], 0).kind !== 'done';
}

function planRunning(task: Task, specs: ResourceSpecs, mapping: Pick<Mapping, 'state'>): Step {
  const { resources } = task;
  const rulesMayRun = mapping.state === 'Enabled' || Object.values(resources.rules).some((r) => r.enabled);
  const change = nextRuleChange(specs.rules, resources, rulesMayRun);
  if (change !== undefined) return change;
  if (task.status === 'creating') return { kind: 'record-status', status: 'starting' };
  if (mappingDiffers(task, specs, mapping, true)) return changeMapping(mapping, true);
  if (mapping.state !== 'Enabled') return { kind: 'wait', waitMs: MAPPING_POLL_MS };
  const enable = nextRuleToEnable(resources);
  if (enable !== undefined) return enable;
  if (!areSettled(task)) return { kind: 'settle-rules' };
  const runs = task.status === 'running' || task.status === 'degraded';
  return runs && task.observedVersion === task.version
    ? { kind: 'done' }
    : { kind: 'record-status', status: 'running' };
}

function planPaused(
  task: Task,
  specs: ResourceSpecs,
  mapping: Pick<Mapping, 'state'>,
  inHand: number | undefined,
): Step {
  const { resources } = task;
  // A task that was never started buffers nothing.
  const buffers = task.startedAt !== undefined && task.definition.options.whilePaused === 'buffer';
  const disable = buffers ? undefined : nextRuleToDisable(resources);
  if (disable !== undefined) return disable;
  const differs = mappingDiffers(task, specs, mapping, false);
  if (differs && STABLE_STATES.includes(mapping.state)) return { kind: 'update-mapping', enabled: false };
  const rules =
    nextRuleChange(specs.rules, resources, buffers) ?? (buffers ? nextRuleToEnable(resources) : undefined);
  if (rules !== undefined) return rules;
  if (buffers && !areSettled(task)) return { kind: 'settle-rules' };
  if (mapping.state !== 'Disabled') return { kind: 'wait', waitMs: MAPPING_POLL_MS };
  if (inHand === undefined) return { kind: 'look-at-backlog' };
  if (inHand > 0) return { kind: 'wait', waitMs: IDLE_POLL_MS };
  return task.status === 'paused' && task.observedVersion === task.version
    ? { kind: 'done' }
    : { kind: 'record-status', status: 'paused' };
}

/**
 * How many records functions hold. SQS counts those that were given back and are hidden for a while with them; long after
 * the pause was asked for it can only be these.
 */
function handsOf({ updatedAt }: Task, { backlog }: Seen, nowMs: number): number | undefined {
  return nowMs - Date.parse(updatedAt) > LONGEST_IN_HAND_MS ? 0 : backlog?.inFlight;
}

function areSettled({ resources, version }: Task): boolean {
  return resources.rulesSettledAtMs !== undefined && resources.rulesVersion === version;
}

function changeMapping(mapping: Pick<Mapping, 'state'>, enabled: boolean): Step {
  return STABLE_STATES.includes(mapping.state)
    ? { kind: 'update-mapping', enabled }
    : { kind: 'wait', waitMs: MAPPING_POLL_MS };
}

/** By what was last asked for, and by a stable state that says otherwise. */
function mappingDiffers(
  task: Task,
  specs: ResourceSpecs,
  mapping: Pick<Mapping, 'state'>,
  enabled: boolean,
): boolean {
  const recorded = task.resources.mapping;
  return (
    recorded?.specHash !== specs.mapping.specHash ||
    recorded.enabled !== enabled ||
    mapping.state === (enabled ? 'Disabled' : 'Enabled')
  );
}
