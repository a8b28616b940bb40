import { type Environment, readEnvironment } from './environment.ts';

const NAMES = [
  'TABLE_NAME',
  'CONTROL_QUEUE_URL',
  'RULE_CONCURRENCY',
  'ALLOWED_TOPIC_PREFIXES',
  'LOG_LEVEL',
] as const;

/** Configuration of the task API. @throws ConfigError naming every bad variable. */
export function readApiTasksConfig(): Environment<(typeof NAMES)[number]> {
  return readEnvironment(NAMES);
}
