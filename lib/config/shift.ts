import { type Environment, readEnvironment, type VariableName } from './environment.ts';

const SHIFT_NAMES = [
  'TABLE_NAME',
  'LOG_LEVEL',
  'CODE_VERSION',
  'SHIFT_CAPACITY',
  'SHIFT_IDLE_SECONDS',
  'SHIFT_SECONDS',
  'DEAD_LETTER_BUCKET',
  'ALLOW_LOCAL_ADDRESSES',
  'AWS_ENDPOINT_URL',
  'SERVICE',
  'STAGE',
] as const satisfies readonly VariableName[];
const SESSION_NAMES = [
  ...SHIFT_NAMES,
  'DEAD_LETTER_QUEUE_URL',
  'CONTROL_QUEUE_URL',
] as const satisfies readonly VariableName[];

export type PullShiftConfig = Environment<(typeof SHIFT_NAMES)[number]>;
export type SessionShiftConfig = Environment<(typeof SESSION_NAMES)[number]>;

/** Configuration of shifts of the pull path. @throws ConfigError naming every bad variable. */
export function readPullShiftConfig(): PullShiftConfig {
  return readEnvironment(SHIFT_NAMES);
}

/** Configuration of shifts of the session path. @throws ConfigError naming every bad variable. */
export function readSessionShiftConfig(): SessionShiftConfig {
  return readEnvironment(SESSION_NAMES);
}
