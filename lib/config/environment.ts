import { z } from 'zod';
import { ConfigError } from '../domain/errors/errors.ts';

const name = z.string().min(1);
const url = z.url({ protocol: /^https?$/ });
const sqsArn = z.string().regex(/^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:.+$/, 'an ARN of an SQS queue');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** Every variable that the functions of this service know, with its rule. Each function names the ones it reads. */
export const VARIABLES = {
  TABLE_NAME: name,
  CONTROL_QUEUE_URL: url,
  DEAD_LETTER_QUEUE_URL: url,
  DEAD_LETTER_QUEUE_ARN: sqsArn,
  DEAD_LETTER_FIFO_QUEUE_ARN: sqsArn,
  DEAD_LETTER_BUCKET: name,
  /** `AWS::StackId`; its UUID gives everything made at run time a name that no other stack has. */
  STACK_ARN: z
    .string()
    .regex(/^arn:aws[a-z-]*:cloudformation:[a-z0-9-]+:\d{12}:stack\/[^/]+\/[^/]{8,}$/, 'an ARN of a stack'),
  SERVICE: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, '1 to 32 of a-z, 0-9 and "-"'),
  STAGE: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$/, '1 to 16 of A-Z, a-z, 0-9, "_" and "-"'),
  RULE_ROLE_ARN: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, 'an ARN of an IAM role'),
  BATCH_FUNCTION_NAME: name,
  PULL_FUNCTION_NAME: name,
  SESSION_FUNCTION_NAME: name,
  PROBE_FUNCTION_NAME: name,
  REDRIVE_FUNCTION_NAME: name,
  /** Concurrent invocations of the batching function that all running tasks may use together. */
  RULE_CONCURRENCY: z.coerce.number().int().min(2).max(100_000).default(100),
  /** How long a deletion that may not discard waits, before it believes SQS that a queue is empty. */
  DELETION_WAIT_SECONDS: z.coerce.number().int().min(0).max(120).default(60),
  /** Comma-separated; none: any topic. */
  ALLOWED_TOPIC_PREFIXES: list.default([]),
  /** Clusters may be on this machine: true on the local stack only. */
  ALLOW_LOCAL_ADDRESSES: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  KEEP_DATA: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  /** Tells the code of one deployment from another's: shifts of an older one give way. */
  CODE_VERSION: name,
  /** Lanes that one shift carries. */
  SHIFT_CAPACITY: z.coerce.number().int().min(1).max(1_000).default(100),
  /** A shift ends after so long without a message; 0: never. */
  SHIFT_IDLE_SECONDS: z.coerce.number().int().min(0).max(840).default(0),
  /** How long a shift lasts, hand-over included: at most the function's timeout. */
  SHIFT_SECONDS: z.coerce.number().int().min(20).max(900).default(900),
  /** Set on an AWS emulator only, where the SDK takes it too. */
  AWS_ENDPOINT_URL: url.optional(),
  AWS_REGION: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region'),
  LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
} as const;

type Variables = typeof VARIABLES;
export type VariableName = keyof Variables;
export type Environment<Name extends VariableName> = { [K in Name]: z.output<Variables[K]> };

/**
 * Reads and checks the named variables, once, at a function's start. An empty variable counts as absent, since a
 * template cannot leave one out.
 * @throws ConfigError naming every bad variable and its rule, never a value.
 * @example const config = readEnvironment(['TABLE_NAME', 'AWS_REGION']);
 */
export function readEnvironment<Name extends VariableName>(
  names: readonly Name[],
  source: Readonly<Record<string, string | undefined>> = process.env,
): Environment<Name> {
  const values: Record<string, unknown> = {};
  const bad: string[] = [];
  for (const variable of names) {
    const text = source[variable];
    const parsed = VARIABLES[variable].safeParse(text === '' ? undefined : text);
    if (parsed.success) values[variable] = parsed.data;
    else bad.push(`${variable}: ${text ? rule(parsed.error) : 'is missing'}`);
  }
  if (bad.length > 0) throw new ConfigError(`environment variables are not usable: ${bad.join('; ')}`);
  return values as Environment<Name>;
}

function rule(error: z.ZodError): string {
  return `must be ${error.issues.map((issue) => issue.message).join(', ')}`;
}
