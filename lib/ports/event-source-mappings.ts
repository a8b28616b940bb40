import type { MappingSpec } from '../domain/tasks/resource-specs.ts';

export type { MappingSpec };

/** States of an AWS Lambda event source mapping; while one of the -ing states lasts, changes are refused. */
export type MappingState =
  | 'Creating'
  | 'Enabling'
  | 'Enabled'
  | 'Disabling'
  | 'Disabled'
  | 'Updating'
  | 'Deleting';

export interface Mapping {
  uuid: string;
  /** For its tags. */
  arn: string;
  queueArn: string;
  /** Name of the function it invokes. */
  functionName: string;
  state: MappingState;
  batchSize: number;
  maximumBatchingWindowSeconds: number;
  maximumConcurrency?: number;
  reportsBatchItemFailures: boolean;
  /** Lambda deletes what a filter does not let through: none of ours has one. */
  isFiltered: boolean;
}

/**
 * Mappings from a task's queue to the batching function (AWS Lambda). A change that meets a transient state throws
 * `ControlPlaneError` with reaction `not-yet`, code `MAPPING_IN_USE`.
 */
export interface EventSourceMappings {
  /** A mapping of the same queue and function may exist already: then it is answered as it is. */
  create(spec: MappingSpec): Promise<Mapping>;
  /** Undefined when it is gone. */
  get(uuid: string): Promise<Mapping | undefined>;
  /** Of the batching function. May be stale by seconds. */
  findByQueue(queueArn: string, functionName: string): Promise<Mapping | undefined>;
  /** A filter goes. Undefined when it is gone. */
  update(uuid: string, spec: Omit<MappingSpec, 'queueArn' | 'tags'>): Promise<Mapping | undefined>;
  /** Begins the deletion, which takes seconds to a minute. Deleting what is gone is no error; what is going is `not-yet`. */
  delete(uuid: string): Promise<void>;
  /** All mappings of the batching function. May be stale by seconds. */
  list(functionName: string): Promise<Mapping[]>;
  /** Tags of a mapping, for the ownership check before a deletion. Empty when it is gone. */
  tags(arn: string): Promise<Readonly<Record<string, string>>>;
}
