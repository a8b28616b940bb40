import { createResourceNames, type ResourceNames } from '../domain/tasks/resource-names.ts';
import { readEnvironment } from './environment.ts';

/** Configuration of the function behind the custom resource. */
export interface RuntimeResourcesConfig {
  region: string;
  logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  tableName: string;
  bucketName: string;
  /** The bucket keeps its objects when the stack goes. */
  keepData: boolean;
  settings: { names: ResourceNames; batchFunctionName: string };
}

/** @throws ConfigError naming every bad variable. */
export function readRuntimeResourcesConfig(
  source: Readonly<Record<string, string | undefined>> = process.env,
): RuntimeResourcesConfig {
  const names = [
    'AWS_REGION',
    'LOG_LEVEL',
    'TABLE_NAME',
    'DEAD_LETTER_BUCKET',
    'KEEP_DATA',
    'STACK_ARN',
    'SERVICE',
    'STAGE',
    'BATCH_FUNCTION_NAME',
  ] as const;
  const env = readEnvironment(names, source);
  return {
    region: env.AWS_REGION,
    logLevel: env.LOG_LEVEL,
    tableName: env.TABLE_NAME,
    bucketName: env.DEAD_LETTER_BUCKET,
    keepData: env.KEEP_DATA,
    settings: {
      names: createResourceNames({ service: env.SERVICE, stage: env.STAGE, stackArn: env.STACK_ARN }),
      batchFunctionName: env.BATCH_FUNCTION_NAME,
    },
  };
}
