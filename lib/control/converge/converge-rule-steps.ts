import { ControlPlaneError, inKnownRegion } from '../../domain/errors/control-plane-error.ts';
import type { RuleSpec } from '../../domain/tasks/resource-specs.ts';
import type { RuleRecord, Task, TaskResources } from '../../domain/tasks/task.ts';
import type { RuleStep } from './converge-rules.ts';
import { type Cloud, record, type StepContext, type StepOutcome, without } from './converge-steps.ts';

/** Performs one step on a rule. */
export async function performRuleStep(
  step: RuleStep,
  task: Task,
  { cloud, settings, memory }: StepContext,
): Promise<StepOutcome> {
  const { resources } = task;
  switch (step.kind) {
    case 'unsettle-rules':
      return record(unsettled(resources));
    case 'announce-rule': {
      const name = settings.names.ruleName(task.taskId, Number(step.key));
      await memory.addRegion(step.spec.region);
      const present = without(unsettled(resources), 'inflowEndedAtMs');
      return record(withRule(present, step.key, ruleRecord(name, step.spec, '', false)));
    }
    case 'create-rule':
    case 'replace-rule':
      return writeRule(step, task, cloud);
    case 'set-rule':
      return setRule(step, resources, cloud);
    case 'delete-rule': {
      const { name, region, specHash } = recordOf(resources, step.key);
      const remove = () => cloud.rules.inRegion(region).delete(name);
      // Announced only: where no rule can be made there is none to delete.
      await (specHash === '' ? inKnownRegion(remove, undefined) : remove());
      return record(withoutRule(resources, step.key));
    }
  }
}

async function writeRule(
  step: Extract<RuleStep, { kind: 'create-rule' | 'replace-rule' }>,
  { resources }: Task,
  cloud: Cloud,
): Promise<StepOutcome> {
  const { key, spec, enabled } = step;
  const { name } = recordOf(resources, key);
  const { queue } = resources;
  if (queue === undefined) return {};
  const rules = cloud.rules.inRegion(spec.region);
  const topicRule = spec.render({ name, queueUrl: queue.url, enabled });
  const written = step.kind === 'create-rule' ? rules.create(topicRule) : rules.replace(topicRule);
  if ((await written) === false) return ruleIsGone(resources, key);
  return record(withRule(resources, key, ruleRecord(name, spec, spec.specHash, enabled)));
}

async function setRule(
  { key, enabled }: Extract<RuleStep, { kind: 'set-rule' }>,
  resources: TaskResources,
  cloud: Cloud,
): Promise<StepOutcome> {
  const rule = recordOf(resources, key);
  const exists = await cloud.rules.inRegion(rule.region).setEnabled(rule.name, enabled);
  if (!exists) return ruleIsGone(resources, key);
  return record(withRule(resources, key, { ...rule, enabled }));
}

/** Somebody deleted it: announced again, so that the next step makes it. */
function ruleIsGone(resources: TaskResources, key: string): StepOutcome {
  const gone = { ...recordOf(resources, key), specHash: '', enabled: false };
  return {
    ...record(withRule(unsettled(resources), key, gone)),
    event: {
      code: 'DRIFT_REPAIRED',
      message: `topic rule ${gone.name} was gone and is made again`,
      details: { repaired: [`rule ${key}`] },
    },
  };
}

function ruleRecord(name: string, spec: RuleSpec, specHash: string, enabled: boolean): RuleRecord {
  return { name, region: spec.region, topicFilter: spec.topicFilter, specHash, enabled };
}

function recordOf(resources: TaskResources, key: string): RuleRecord {
  const rule = resources.rules[key];
  if (rule !== undefined) return rule;
  // The plan names only rules that it found in the same record.
  throw new ControlPlaneError(`rule ${key} is not recorded`, {
    code: 'RULE_NOT_RECORDED',
    reaction: 'not-yet',
  });
}

function withRule(resources: TaskResources, key: string, rule: RuleRecord): TaskResources {
  return { ...resources, rules: { ...resources.rules, [key]: rule } };
}

function withoutRule(resources: TaskResources, key: string): TaskResources {
  const { [key]: _, ...rules } = resources.rules;
  return { ...resources, rules };
}

function unsettled(resources: TaskResources): TaskResources {
  return without(without(resources, 'rulesSettledAtMs'), 'rulesVersion');
}
