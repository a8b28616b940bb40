import { isDeepStrictEqual } from 'node:util';
import type { QueueSpecs, ResourceSpecs, RulePathSpecs } from '../../domain/tasks/resource-specs.ts';
import type { Task, TaskResources } from '../../domain/tasks/task.ts';
import type { Mapping } from '../../ports/event-source-mappings.ts';
import type { ShiftRoster } from '../../ports/shifts.ts';
import type { TaskQueue } from '../../ports/task-queues.ts';
import { entryOf } from './converge-shift.ts';
import type { Cloud } from './converge-steps.ts';
import { without } from './converge-steps.ts';

/** What an audit found: the record as it should read, and what differs, in words. */
export interface AuditResult {
  resources: TaskResources;
  drift: string[];
}

/**
 * Compares what is recorded of a task with what is really there: attributes of the queue, form and state of the mapping,
 * text, actions and state of each rule, its entry in the roster of shifts. It changes nothing in the cloud: the record is brought to the truth, so that the
 * next steps repair it.
 */
export async function auditResources(
  task: Task,
  specs: ResourceSpecs,
  cloud: Cloud,
  roster: Pick<ShiftRoster, 'read'>,
): Promise<AuditResult> {
  const drift: string[] = [];
  let { resources } = task;
  if (specs.path !== 'pull') {
    resources = await auditQueue(resources, specs, cloud, drift);
    resources = await auditMapping(resources, specs, cloud, drift);
  }
  if (specs.path === 'rule') {
    for (const key of Object.keys(resources.rules)) {
      resources = await auditRule(resources, key, specs, cloud, drift);
    }
  }
  return { resources: await auditShift(task.taskId, resources, roster, drift), drift };
}

async function auditShift(
  taskId: string,
  resources: TaskResources,
  roster: Pick<ShiftRoster, 'read'>,
  drift: string[],
): Promise<TaskResources> {
  const { shift } = resources;
  // What is under way is for the plan.
  if (shift === undefined || !shift.isTold) return resources;
  const entry = (await roster.read(shift.kind)).find((candidate) => candidate.taskId === taskId);
  if (isDeepStrictEqual(entry, entryOf(taskId, shift))) return resources;
  drift.push(`shift: told ${entry?.mode ?? 'nothing'}`);
  return { ...resources, shift: { ...shift, isTold: false } };
}

async function auditQueue(
  resources: TaskResources,
  specs: QueueSpecs,
  cloud: Cloud,
  drift: string[],
): Promise<TaskResources> {
  // One that an edit has left is not looked at: it goes.
  if (!resources.queue?.arn.endsWith(`:${specs.queue.name}`)) return resources;
  const queue = await cloud.queues.describe(specs.queue.name);
  if (queue === undefined) {
    drift.push('queue: gone');
    return without(resources, 'queue');
  }
  const differences = queueDifferences(queue, specs.queue);
  if (differences.length === 0) return resources;
  drift.push(`queue: ${differences.join(', ')}`);
  return { ...resources, queue: { ...resources.queue, specHash: '' } };
}

function queueDifferences(queue: TaskQueue, spec: QueueSpecs['queue']): string[] {
  const wanted = {
    visibilityTimeoutSeconds: spec.visibilityTimeoutSeconds,
    retentionSeconds: spec.retentionSeconds,
    deadLetterQueueArn: spec.deadLetterQueueArn,
    maxReceiveCount: spec.maxReceiveCount,
  };
  const differences = differingMembers(wanted, queue);
  const tagged = Object.entries(spec.tags).every(([name, value]) => queue.tags[name] === value);
  return tagged ? differences : [...differences, 'tags'];
}

async function auditMapping(
  resources: TaskResources,
  specs: QueueSpecs,
  cloud: Cloud,
  drift: string[],
): Promise<TaskResources> {
  const recorded = resources.mapping;
  if (recorded === undefined) return resources;
  const mapping = await cloud.mappings.get(recorded.uuid);
  if (mapping === undefined) {
    drift.push('mapping: gone');
    return without(resources, 'mapping');
  }
  if (resources.queue !== undefined && mapping.queueArn !== resources.queue.arn) {
    // Nobody wants it any more: the sweep deletes it.
    drift.push('mapping: of another queue');
    return without(resources, 'mapping');
  }
  const differences = recorded.specHash === specs.mapping.specHash ? mappingDifferences(mapping, specs) : [];
  const stateDiffers = mapping.state === (recorded.enabled ? 'Disabled' : 'Enabled');
  if (stateDiffers) differences.push(`state ${mapping.state}`);
  if (differences.length === 0) return resources;
  drift.push(`mapping: ${differences.join(', ')}`);
  const enabled = stateDiffers ? !recorded.enabled : recorded.enabled;
  const formDiffers = differences.length > (stateDiffers ? 1 : 0);
  return {
    ...resources,
    mapping: { ...recorded, enabled, specHash: formDiffers ? '' : recorded.specHash },
  };
}

function mappingDifferences(mapping: Mapping, { mapping: spec }: QueueSpecs): string[] {
  const wanted = {
    functionName: spec.functionName,
    batchSize: spec.batchSize,
    maximumBatchingWindowSeconds: spec.maximumBatchingWindowSeconds ?? 0,
    maximumConcurrency: spec.maximumConcurrency,
    reportsBatchItemFailures: true,
    isFiltered: false,
  };
  return differingMembers(wanted, mapping);
}

async function auditRule(
  resources: TaskResources,
  key: string,
  specs: RulePathSpecs,
  cloud: Cloud,
  drift: string[],
): Promise<TaskResources> {
  const recorded = resources.rules[key];
  const spec = specs.rules.find((candidate) => String(candidate.ruleNumber) === key);
  // What is under way, or of another form by our own doing, is for the plan.
  if (recorded === undefined || spec === undefined || recorded.specHash !== spec.specHash) return resources;
  if (recorded.region !== spec.region || resources.queue === undefined) return resources;
  const rule = await cloud.rules.inRegion(recorded.region).get(recorded.name);
  if (rule === undefined) {
    drift.push(`rule ${key}: gone`);
    return changedRule(resources, key, { specHash: '', enabled: false });
  }
  const { sql, errorQueueUrl, roleArn, queueUrl } = spec.render({
    name: recorded.name,
    queueUrl: resources.queue.url,
    enabled: recorded.enabled,
  });
  const wanted = { sql, errorQueueUrl, roleArn, queueUrl, actionCount: 1, form: 'ours' };
  const differences = differingMembers(wanted, rule);
  const stateDiffers = rule.enabled !== recorded.enabled;
  if (differences.length === 0 && !stateDiffers) return resources;
  drift.push(`rule ${key}: ${[...differences, ...(stateDiffers ? ['enabled'] : [])].join(', ')}`);
  return changedRule(resources, key, {
    enabled: rule.enabled,
    specHash: differences.length > 0 ? '' : recorded.specHash,
  });
}

/** Whatever differs: from now on no copy of a message is skipped as an overlap, until the rules have settled again. */
function changedRule(
  resources: TaskResources,
  key: string,
  change: { enabled: boolean; specHash: string },
): TaskResources {
  const rule = resources.rules[key];
  if (rule === undefined) return resources;
  const unsettled = without(without(resources, 'rulesSettledAtMs'), 'rulesVersion');
  return { ...unsettled, rules: { ...resources.rules, [key]: { ...rule, ...change } } };
}

/** Names of the members that `actual` does not have, or has otherwise. */
function differingMembers<T extends object>(wanted: T, actual: Partial<Record<keyof T, unknown>>): string[] {
  return (Object.keys(wanted) as (keyof T & string)[]).filter((name) => actual[name] !== wanted[name]);
}
