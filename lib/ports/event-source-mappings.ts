export interface MappingSpec {
  queueArn: string;
  functionName: string;
  enabled: boolean;
  batchSize: number;
  maximumBatchingWindowSeconds: number;
  maximumConcurrency: number;
  tags: Readonly<Record<string, string>>;
}

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
  queueArn: string;
  state: MappingState;
  batchSize: number;
  maximumBatchingWindowSeconds: number;
  maximumConcurrency?: number;
}

/**
 * Mappings from a task's queue to the batching function (AWS Lambda). A change that meets a transient state throws
 * `ControlPlaneError` with reaction `not-yet`.
 */
export interface EventSourceMappings {
  /** A mapping of the same queue and function may exist already: then it is answered as it is. */
  create(spec: MappingSpec): Promise<Mapping>;
  get(uuid: string): Promise<Mapping | undefined>;
  findByQueue(queueArn: string): Promise<Mapping | undefined>;
  update(uuid: string, spec: Omit<MappingSpec, 'queueArn' | 'tags'>): Promise<Mapping>;
  /** Deleting what is gone is no error. */
  delete(uuid: string): Promise<void>;
  /** All mappings of the batching function. */
  list(functionName: string): Promise<Mapping[]>;
}
