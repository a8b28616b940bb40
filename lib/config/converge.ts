import { createResourceNames } from '../domain/tasks/resource-names.ts';
import type { SpecSettings } from '../domain/tasks/resource-specs.ts';
import type { TaskPath } from '../domain/tasks/task.ts';
import { readEnvironment } from './environment.ts';

/** Configuration of the converge function, but for the SQL of the rules. */
export interface ConvergeConfig {
  region: string;
  logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  tableName: string;
  /** What every metric carries. */
  ids: { service: string; stage: string };
  controlQueueUrl: string;
  countLagMs: number;
  /** Units of all running tasks together. */
  ruleConcurrency: number;
  shiftFunctionNames: Readonly<Record<Exclude<TaskPath, 'rule'>, string>>;
  probeFunctionName: string;
  settings: Omit<SpecSettings, 'ruleSql'>;
  /** Where AWS IoT's messages go on an emulator. */
  emulator: { emulatorUrl?: string };
}

/** @throws ConfigError naming every bad variable. */
export function readConvergeConfig(
  source: Readonly<Record<string, string | undefined>> = process.env,
): ConvergeConfig {
  const names = [
    'AWS_REGION',
    'LOG_LEVEL',
    'TABLE_NAME',
    'CONTROL_QUEUE_URL',
    'DEAD_LETTER_QUEUE_URL',
    'DEAD_LETTER_QUEUE_ARN',
    'DEAD_LETTER_FIFO_QUEUE_ARN',
    'STACK_ARN',
    'SERVICE',
    'STAGE',
    'RULE_ROLE_ARN',
    'BATCH_FUNCTION_NAME',
    'PULL_FUNCTION_NAME',
    'SESSION_FUNCTION_NAME',
    'PROBE_FUNCTION_NAME',
    'RULE_CONCURRENCY',
    'DELETION_WAIT_SECONDS',
    'AWS_ENDPOINT_URL',
  ] as const;
  const env = readEnvironment(names, source);
  return {
    region: env.AWS_REGION,
    logLevel: env.LOG_LEVEL,
    tableName: env.TABLE_NAME,
    ids: { service: env.SERVICE, stage: env.STAGE },
    controlQueueUrl: env.CONTROL_QUEUE_URL,
    ruleConcurrency: env.RULE_CONCURRENCY,
    shiftFunctionNames: { pull: env.PULL_FUNCTION_NAME, session: env.SESSION_FUNCTION_NAME },
    probeFunctionName: env.PROBE_FUNCTION_NAME,
    emulator: env.AWS_ENDPOINT_URL === undefined ? {} : { emulatorUrl: env.AWS_ENDPOINT_URL },
    countLagMs: env.DELETION_WAIT_SECONDS * 1_000,
    settings: {
      names: createResourceNames({ service: env.SERVICE, stage: env.STAGE, stackArn: env.STACK_ARN }),
      batchFunctionName: env.BATCH_FUNCTION_NAME,
      deadLetterQueueArn: env.DEAD_LETTER_QUEUE_ARN,
      deadLetterFifoQueueArn: env.DEAD_LETTER_FIFO_QUEUE_ARN,
      deadLetterQueueUrl: env.DEAD_LETTER_QUEUE_URL,
      ruleRoleArn: env.RULE_ROLE_ARN,
    },
  };
}
