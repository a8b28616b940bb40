import type { Cluster } from '../../domain/clusters/cluster.ts';
import { type FieldError, RequestError } from '../../domain/errors/errors.ts';
import { combineChecks, type DefinitionCheck, type Warning } from '../../domain/rules/definition-check.ts';
import { checkLoops } from '../../domain/rules/loop-rules.ts';
import { checkDefinition } from '../../domain/rules/task-rules.ts';
import { dialectOf } from '../../domain/rules/topic-filter-rules.ts';
import { checkGroupIsOwn } from '../../domain/tasks/consumer-group.ts';
import { literalRocketmqTopic, rocketmqClusterIdOf } from '../../domain/tasks/rocketmq-end.ts';
import type { Task, TaskDefinition, TaskDirection } from '../../domain/tasks/task.ts';
import { directionOf, withPath } from '../../domain/tasks/task-path.ts';
import type { ClusterStore } from '../../ports/cluster-store.ts';
import type { TaskStore } from '../../ports/task-store.ts';
import { tasksOfCluster } from './tasks-of-cluster.ts';

/** What a definition that keeps all rules amounts to. */
export interface CheckedDefinition {
  /** As it was given, with `options.via` said. */
  definition: TaskDefinition;
  direction: TaskDirection;
  sourceRegion: string;
  /** The registered topic that the task's RocketMQ end names literally. */
  rocketmqTopic?: string;
  warnings: Warning[];
}

/**
 * Checks a definition against all rules, the registered clusters and topics, and the other tasks; nothing is connected to.
 *
 * Throws `RequestError`: 404 `CLUSTER_NOT_FOUND`, 404 `TOPIC_NOT_REGISTERED`, 409 `LOOP`, 409 `CONSUMER_GROUP_TAKEN`, else 400
 * with the code of the broken rule, or `DEFINITION_INVALID` where several are broken. `errors` names them all.
 *
 * @param options.taskId - the task that the definition is an edit of: not one of the others
 */
export type CheckTask = (
  definition: TaskDefinition,
  options?: { taskId?: string },
) => Promise<CheckedDefinition>;

/** Statuses of refusals by the one rule that is broken; every other is a 400. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  TOPIC_NOT_REGISTERED: 404,
  LOOP: 409,
  CONSUMER_GROUP_TAKEN: 409,
};

export function createCheckTask({
  clusters,
  tasks,
  allowedTopicPrefixes,
}: {
  clusters: Pick<ClusterStore, 'get' | 'getTopic'>;
  tasks: Pick<TaskStore, 'list'>;
  allowedTopicPrefixes: readonly string[];
}): CheckTask {
  return async (definition, { taskId } = {}) => {
    const { source, target } = definition;
    const topic = literalRocketmqTopic(definition);
    const [sourceCluster, targetCluster, registeredTopic, neighbours] = await Promise.all([
      clusters.get(source.clusterId),
      clusters.get(target.clusterId),
      topic === undefined ? undefined : clusters.getTopic(rocketmqClusterIdOf(definition), topic),
      tasksOfCluster(tasks, source.clusterId),
    ]);
    if (sourceCluster === undefined || targetCluster === undefined) {
      throw clustersNotFound({
        source: [source.clusterId, sourceCluster],
        target: [target.clusterId, targetCluster],
      });
    }
    const resolved = withPath(definition, sourceCluster);
    const context = {
      definition: resolved,
      sourceCluster,
      targetCluster,
      registeredTopic,
      allowedTopicPrefixes,
    };
    const others = neighbours.items.filter((other) => other.taskId !== taskId);
    const { errors, warnings } = combineChecks([
      checkDefinition(context),
      checkAgainstOthers(resolved, others, sourceCluster, targetCluster),
    ]);
    if (errors.length > 0) throw broken(errors);
    return {
      definition: resolved,
      direction: directionOf(definition),
      sourceRegion: sourceCluster.region,
      ...(registeredTopic === undefined ? {} : { rocketmqTopic: registeredTopic.topic }),
      warnings,
    };
  };
}

/** What other tasks leave no room for. A task that is being deleted still has its consumer group, but carries nothing on. */
function checkAgainstOthers(
  definition: TaskDefinition,
  others: readonly Task[],
  source: Cluster,
  target: Cluster,
): DefinitionCheck {
  const mqtt = source.kind === 'rocketmq' ? target : source;
  const lasting = others.filter(({ desired }) => desired !== 'deleted');
  return combineChecks([
    { errors: checkGroupIsOwn(definition, others), warnings: [] },
    checkLoops(definition, lasting, dialectOf(mqtt.kind)),
  ]);
}

function clustersNotFound(
  ends: Record<'source' | 'target', readonly [clusterId: string, cluster: Cluster | undefined]>,
): RequestError {
  const missing = Object.entries(ends).filter(([, [, cluster]]) => cluster === undefined);
  const errors = missing.map(([end, [clusterId]]) => ({
    field: `${end}.clusterId`,
    code: 'CLUSTER_NOT_FOUND',
    message: `there is no cluster ${clusterId}: PUT /clusters/${clusterId} first`,
  }));
  return new RequestError(404, 'CLUSTER_NOT_FOUND', sentenceOf(errors), { errors });
}

function broken(errors: readonly FieldError[]): RequestError {
  const [first] = errors;
  const isOneRule = first !== undefined && errors.every(({ code }) => code === first.code);
  const code = isOneRule ? first.code : 'DEFINITION_INVALID';
  return new RequestError(STATUS_OF_CODE[code] ?? 400, code, sentenceOf(errors), { errors });
}

function sentenceOf(errors: readonly FieldError[]): string {
  const [first] = errors;
  const others = errors.length - 1;
  const more = others === 0 ? '' : ` (and ${others} more)`;
  return `${first?.field}: ${first?.message}${more}`;
}
