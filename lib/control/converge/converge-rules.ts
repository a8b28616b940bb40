import type { RuleSpec } from '../../domain/tasks/resource-specs.ts';
import type { TaskResources } from '../../domain/tasks/task.ts';
import { intersects } from '../../domain/topics/topic-filter.ts';

/** Rules with these numbers and above only bridge an edit; their SQL names the number they stand in for. */
export const SPARE_RULE_OFFSET = 10;

export type RuleStep =
  /** Recorded before it is made, so that no crash leaves a rule that nobody knows. */
  | { kind: 'announce-rule'; key: string; spec: RuleSpec }
  | { kind: 'create-rule'; key: string; spec: RuleSpec; enabled: boolean }
  | { kind: 'replace-rule'; key: string; spec: RuleSpec; enabled: boolean }
  | { kind: 'set-rule'; key: string; enabled: boolean }
  | { kind: 'delete-rule'; key: string }
  /** Recorded before a change that may leave a filter's rule without effect: from then on no copy is skipped. */
  | { kind: 'unsettle-rules' };

type Records = TaskResources['rules'];

/**
 * The next step that brings the rules' text, region and number to the specification; undefined when they are.
 *
 * Make before break: while a task buffers, a filter that was and still is wanted must have an enabled rule all the time.
 * So a rule is replaced only when no other filter needs what it carries; where filters changed places, a spare rule
 * bridges.
 *
 * @param enabled - whether a new rule is to be enabled at once
 */
export function nextRuleChange(
  specs: readonly RuleSpec[],
  resources: TaskResources,
  enabled: boolean,
): RuleStep | undefined {
  const step = nextChange(specs, resources.rules, enabled);
  return step && breaksOverlap(step, resources) ? { kind: 'unsettle-rules' } : step;
}

/** The next rule to disable: the highest number first, so that a lower one is always there for its copy. */
export function nextRuleToDisable(resources: TaskResources): RuleStep | undefined {
  const key = descendingKeys(resources.rules).find((candidate) => resources.rules[candidate]?.enabled);
  if (key === undefined) return undefined;
  return resources.rulesSettledAtMs === undefined
    ? { kind: 'set-rule', key, enabled: false }
    : { kind: 'unsettle-rules' };
}

/** The next rule to enable: the lowest number first. */
export function nextRuleToEnable(resources: TaskResources): RuleStep | undefined {
  const key = descendingKeys(resources.rules)
    .reverse()
    .find((candidate) => !resources.rules[candidate]?.enabled);
  return key === undefined ? undefined : { kind: 'set-rule', key, enabled: true };
}

/** The next rule to delete of all there are. */
export function nextRuleToDelete(resources: TaskResources): RuleStep | undefined {
  const [key] = descendingKeys(resources.rules);
  if (key === undefined) return undefined;
  return resources.rulesSettledAtMs === undefined ? { kind: 'delete-rule', key } : { kind: 'unsettle-rules' };
}

function nextChange(specs: readonly RuleSpec[], records: Records, enabled: boolean): RuleStep | undefined {
  for (const spec of specs) {
    const key = String(spec.ruleNumber);
    const record = records[key];
    if (record === undefined) return { kind: 'announce-rule', key, spec };
    // Another region is another source: nothing there is wanted any more.
    if (record.region !== spec.region) return { kind: 'delete-rule', key };
    if (record.specHash === '') return { kind: 'create-rule', key, spec, enabled };
  }
  // Surplus rules go last, when the others carry all that is wanted.
  return nextReplacement(specs, records, enabled) ?? nextSurplus(specs, records);
}

function nextReplacement(
  specs: readonly RuleSpec[],
  records: Records,
  enabled: boolean,
): RuleStep | undefined {
  const pending = specs.filter((spec) => records[String(spec.ruleNumber)]?.specHash !== spec.specHash);
  const [first] = pending;
  if (first === undefined) return undefined;
  const ready = enabled ? pending.find((spec) => firstBlocker(spec, specs, records) === undefined) : first;
  if (ready !== undefined) {
    const key = String(ready.ruleNumber);
    return { kind: 'replace-rule', key, spec: ready, enabled: enabled || records[key]?.enabled === true };
  }
  const blocker = firstBlocker(first, specs, records) ?? first;
  const key = String(blocker.ruleNumber);
  return records[key]?.specHash === blocker.specHash
    ? { kind: 'set-rule', key, enabled: true }
    : bridge(blocker, records);
}

/** A filter that gets messages by the rule that `spec` is to replace, and has no enabled rule of its own elsewhere. */
function firstBlocker(spec: RuleSpec, specs: readonly RuleSpec[], records: Records): RuleSpec | undefined {
  const key = String(spec.ruleNumber);
  const record = records[key];
  if (record === undefined || !record.enabled || record.topicFilter === spec.topicFilter) return undefined;
  return specs.find(
    (other) =>
      other !== spec &&
      intersects(other.topicFilter, record.topicFilter, 'aws-iot') &&
      !isCarriedElsewhere(other, records, key),
  );
}

function isCarriedElsewhere({ topicFilter, region }: RuleSpec, records: Records, exceptKey: string): boolean {
  return Object.entries(records).some(
    ([key, record]) =>
      key !== exceptKey &&
      record.enabled &&
      record.specHash !== '' &&
      record.topicFilter === topicFilter &&
      record.region === region,
  );
}

function bridge(spec: RuleSpec, records: Records): RuleStep {
  const announced = Object.entries(records).find(
    ([key, record]) =>
      Number(key) >= SPARE_RULE_OFFSET && record.specHash === '' && record.topicFilter === spec.topicFilter,
  );
  if (announced !== undefined) return { kind: 'create-rule', key: announced[0], spec, enabled: true };
  let spare = SPARE_RULE_OFFSET;
  while (records[String(spare)] !== undefined) spare += 1;
  return { kind: 'announce-rule', key: String(spare), spec };
}

function nextSurplus(specs: readonly RuleSpec[], records: Records): RuleStep | undefined {
  const wanted = new Set(specs.map((spec) => String(spec.ruleNumber)));
  const key = descendingKeys(records).find((candidate) => !wanted.has(candidate));
  return key === undefined ? undefined : { kind: 'delete-rule', key };
}

/** Replacing a rule by one of the same filter leaves no gap; everything else may. */
function breaksOverlap(step: RuleStep, resources: TaskResources): boolean {
  if (resources.rulesSettledAtMs === undefined) return false;
  if (step.kind !== 'replace-rule') return true;
  const record = resources.rules[step.key];
  return record?.topicFilter !== step.spec.topicFilter;
}

function descendingKeys(records: Records): string[] {
  return Object.keys(records).sort((a, b) => Number(b) - Number(a));
}
