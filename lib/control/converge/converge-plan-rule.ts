import type { RulePathSpecs } from '../../domain/tasks/resource-specs.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { buffersWhilePaused } from '../../domain/tasks/task-lifecycle.ts';
import { isHoldOver, planHold } from './converge-hold.ts';
import type { Seen, Step } from './converge-plan.ts';
import {
  awaitIdle,
  awaitMapping,
  isStable,
  planMapping,
  planQueue,
  type SeenMapping,
} from './converge-plan-queue.ts';
import { nextRuleChange, nextRuleToDisable, nextRuleToEnable } from './converge-rules.ts';

/**
 * The next step of a task of the rule path.
 *
 * Start: everything up to date, mapping `Enabled`, then the rules, lowest number first. Pause: rules that must not be
 * enabled first, then the mapping, until it is `Disabled` and nothing is in hand. `degraded` is the data plane's word
 * and stays. A target that is away for long: the mapping is disabled, the rules go on filling the queue.
 */
export function planRuleTask(task: Task, specs: RulePathSpecs, seen: Seen, nowMs: number): Step {
  const queue = planQueue(task, specs, seen);
  if ('step' in queue) return queue.step;
  return task.desired === 'running'
    ? planRunning(task, specs, queue.mapping, seen, nowMs)
    : planPaused(task, specs, queue.mapping, seen, nowMs);
}

function planRunning(
  task: Task,
  specs: RulePathSpecs,
  mapping: SeenMapping,
  seen: Seen,
  nowMs: number,
): Step {
  const { resources } = task;
  const rulesMayRun = mapping.state === 'Enabled' || Object.values(resources.rules).some((r) => r.enabled);
  const change = nextRuleChange(specs.rules, resources, rulesMayRun);
  if (change !== undefined) return change;
  if (task.status === 'creating') return { kind: 'record-status', status: 'starting' };
  const isHeld = resources.hold !== undefined;
  const switching =
    planHold(task, mapping, seen, nowMs) ??
    planMapping(task, specs, mapping, !isHeld) ??
    awaitMapping(mapping, isHeld ? 'Disabled' : 'Enabled');
  if (switching !== undefined) return switching;
  if (isHoldOver(task)) return { kind: 'end-hindrance' };
  const enable = nextRuleToEnable(resources);
  if (enable !== undefined) return enable;
  if (!areSettled(task)) return { kind: 'settle-rules' };
  const runs = task.status === 'running' || task.status === 'degraded';
  return runs && task.observedVersion === task.version
    ? { kind: 'done' }
    : { kind: 'record-status', status: 'running' };
}

function planPaused(task: Task, specs: RulePathSpecs, mapping: SeenMapping, seen: Seen, nowMs: number): Step {
  const { resources } = task;
  const buffers = buffersWhilePaused(task);
  const disable = buffers ? undefined : nextRuleToDisable(resources);
  if (disable !== undefined) return disable;
  const disabling = planMapping(task, specs, mapping, false);
  if (disabling !== undefined && isStable(mapping)) return disabling;
  const rules =
    nextRuleChange(specs.rules, resources, buffers) ?? (buffers ? nextRuleToEnable(resources) : undefined);
  if (rules !== undefined) return rules;
  if (buffers && !areSettled(task)) return { kind: 'settle-rules' };
  const stopping = awaitMapping(mapping, 'Disabled') ?? awaitIdle(task, seen, nowMs);
  if (stopping !== undefined) return stopping;
  return task.status === 'paused' && task.observedVersion === task.version
    ? { kind: 'done' }
    : { kind: 'record-status', status: 'paused' };
}

function areSettled({ resources, version }: Task): boolean {
  return resources.rulesSettledAtMs !== undefined && resources.rulesVersion === version;
}
