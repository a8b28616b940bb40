import type { Cluster, RegisteredTopic } from '../clusters/cluster.ts';
import type { FieldError } from '../errors/errors.ts';
import type { TaskDefinition } from '../tasks/task.ts';

/** Something that is allowed, and yet may surprise. */
export type Warning = FieldError;

/** What the rules say of a definition. */
export interface DefinitionCheck {
  errors: FieldError[];
  warnings: Warning[];
}

/** What the rules look at. */
export interface DefinitionContext<Definition extends TaskDefinition = TaskDefinition> {
  /** With `options.via` said (`withPath`). */
  definition: Definition;
  sourceCluster: Cluster;
  targetCluster: Cluster;
  /** The registered topic that the task's RocketMQ end names literally, if there is one. */
  registeredTopic?: RegisteredTopic | undefined;
  /** Whole topic levels; none: every topic may be read. */
  allowedTopicPrefixes: readonly string[];
}

export function combineChecks(checks: readonly DefinitionCheck[]): DefinitionCheck {
  return {
    errors: checks.flatMap(({ errors }) => errors),
    warnings: checks.flatMap(({ warnings }) => warnings),
  };
}

/** The check of one field that a rule has looked at. */
export function checkOf(field: string, violation: Omit<FieldError, 'field'> | undefined): DefinitionCheck {
  return { errors: violation === undefined ? [] : [{ field, ...violation }], warnings: [] };
}

/** What a topic that is not registered is answered with. */
export function notRegistered(field: string, clusterId: string, topic: string): FieldError {
  const message = `topic ${topic} is not registered on cluster ${clusterId}: PUT /clusters/${clusterId}/topics/${topic} with its message type first`;
  return { field, code: 'TOPIC_NOT_REGISTERED', message };
}
