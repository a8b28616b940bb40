import type { Cluster } from '../domain/cluster.ts';
import type { Warning } from '../domain/definition-check.ts';
import { type FieldError, RequestError } from '../domain/errors.ts';
import { literalTargetTopic } from '../domain/target-rules.ts';
import type { TaskDefinition, TaskDirection } from '../domain/task.ts';
import { directionOf, withPath } from '../domain/task-path.ts';
import { checkDefinition } from '../domain/task-rules.ts';
import type { ClusterStore } from '../ports/cluster-store.ts';

/** What a definition that keeps all rules amounts to. */
export interface CheckedDefinition {
  /** As it was given, with `options.via` said. */
  definition: TaskDefinition;
  direction: TaskDirection;
  sourceRegion: string;
  /** The registered topic that the target names literally. */
  targetTopic?: string;
  warnings: Warning[];
}

/**
 * Checks a definition against all rules and the registered clusters and topics; nothing is connected to.
 *
 * Throws `RequestError`: 404 `CLUSTER_NOT_FOUND`, 404 `TOPIC_NOT_REGISTERED`, else 400 with the code of the broken rule, or
 * `DEFINITION_INVALID` where several are broken. `errors` names them all.
 */
export type CheckTask = (definition: TaskDefinition) => Promise<CheckedDefinition>;

export function createCheckTask({
  clusters,
  allowedTopicPrefixes,
}: {
  clusters: Pick<ClusterStore, 'get' | 'getTopic'>;
  allowedTopicPrefixes: readonly string[];
}): CheckTask {
  return async (definition) => {
    const { source, target } = definition;
    const literalTopic = literalTargetTopic(definition);
    const [sourceCluster, targetCluster, registeredTopic] = await Promise.all([
      clusters.get(source.clusterId),
      clusters.get(target.clusterId),
      literalTopic === undefined ? undefined : clusters.getTopic(target.clusterId, literalTopic),
    ]);
    if (sourceCluster === undefined || targetCluster === undefined) {
      throw clustersNotFound({
        source: [source.clusterId, sourceCluster],
        target: [target.clusterId, targetCluster],
      });
    }
    const resolved = withPath(definition, sourceCluster);
    const { errors, warnings } = checkDefinition({
      definition: resolved,
      sourceCluster,
      targetCluster,
      registeredTopic,
      allowedTopicPrefixes,
    });
    if (errors.length > 0) throw broken(errors);
    return {
      definition: resolved,
      direction: directionOf(definition),
      sourceRegion: sourceCluster.region,
      ...(registeredTopic === undefined ? {} : { targetTopic: registeredTopic.topic }),
      warnings,
    };
  };
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
  const status = code === 'TOPIC_NOT_REGISTERED' ? 404 : 400;
  return new RequestError(status, code, sentenceOf(errors), { errors });
}

function sentenceOf(errors: readonly FieldError[]): string {
  const [first] = errors;
  const others = errors.length - 1;
  const more = others === 0 ? '' : ` (and ${others} more)`;
  return `${first?.field}: ${first?.message}${more}`;
}
