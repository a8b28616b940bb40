import { checkRetryOption } from '../tasks/retry-policy.ts';
import { checkPath, isFromMqtt, isFromRocketmq, pathOf } from '../tasks/task-path.ts';
import { combineChecks, type DefinitionCheck, type DefinitionContext } from './definition-check.ts';
import { checkPullPath } from './pull-path-rules.ts';
import { checkRulePath } from './rule-path-rules.ts';
import { checkSessionPath } from './session-path-rules.ts';

/**
 * Everything that rules can say of a task's definition by itself before it runs: all errors at once, with field, rule and
 * remedy. Nothing is asked from a broker. When source and target make no path, nothing else is checked, since every other
 * rule depends on the path.
 */
export function checkDefinition(context: DefinitionContext): DefinitionCheck {
  const { definition, sourceCluster, targetCluster } = context;
  const errors = checkPath(definition, sourceCluster, targetCluster);
  if (errors.length > 0) return { errors, warnings: [] };
  const retry = { errors: checkRetryOption(definition.options.retry), warnings: [] };
  return combineChecks([checkByPath(context), retry]);
}

function checkByPath({ definition, ...context }: DefinitionContext): DefinitionCheck {
  if (isFromRocketmq(definition)) return checkPullPath({ ...context, definition });
  if (!isFromMqtt(definition)) return { errors: [], warnings: [] };
  const check = pathOf(definition) === 'session' ? checkSessionPath : checkRulePath;
  return check({ ...context, definition });
}
