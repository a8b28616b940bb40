import { ConfigError } from '../errors/errors.ts';

/** Tag of everything made at run time: the ARN of the stack it belongs to. */
export const STACK_TAG = 'mqferry:stack';
/** Tag of everything made at run time: the task it was made for. */
export const TASK_TAG = 'mqferry:task';

/** SQS takes 80 characters, AWS IoT 128. */
const QUEUE_NAME_LIMIT = 80;
/** SQS wants it at the end of a FIFO queue's name, and counts it. */
const FIFO_SUFFIX = '.fifo';
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const ULID_LENGTH = 26;
/** What follows the prefix in a queue's name. */
const TASK_PART = /^(.{26})(?:\.fifo)?$/;
/** Rule numbers have at most two digits: filters are 0 to 9, and a spare for each (`SPARE_RULE_OFFSET`). */
const RULE_SUFFIX = /^(.{26})_(0|[1-9]\d?)$/;

export interface StackIdentity {
  service: string;
  stage: string;
  /** `AWS::StackId`. */
  stackArn: string;
}

export interface ResourceNames {
  /** Every queue of the stack begins with this, and none of another stack does. */
  queuePrefix: string;
  rulePrefix: string;
  /** @param isFifo - true: the name of the FIFO queue that an ordered task has instead */
  queueName(taskId: string, isFifo?: boolean): string;
  ruleName(taskId: string, ruleNumber: number): string;
  /** The task of a queue; undefined when the name is not one of ours. */
  taskIdOfQueue(queueName: string): string | undefined;
  taskOfRule(ruleName: string): { taskId: string; ruleNumber: number } | undefined;
  tags(taskId: string): Readonly<Record<string, string>>;
  /** Whether tags say that something belongs to this stack. A name alone never decides a deletion. */
  isTagged(tags: Readonly<Record<string, string>>): boolean;
}

/**
 * Names of what is made at run time: queue `<service>-<stage>-<h8>-<taskId>`, `….fifo` for an ordered task, rule
 * `<service>_<stage>_<h8>_<taskId>_<n>`.
 * h8 is the first part of the UUID in the stack's ARN, which the template's IAM policies name in the same way.
 * @throws ConfigError when service and stage make a queue's name too long.
 */
export function createResourceNames({ service, stage, stackArn }: StackIdentity): ResourceNames {
  const stack = stackArn.split('/')[2]?.split('-')[0] ?? '';
  const queuePrefix = `${service}-${stage}-${stack}-`;
  const rulePrefix = queuePrefix.replaceAll('-', '_');
  if (!/^[0-9a-zA-Z]{1,36}$/.test(stack)) throw new ConfigError('STACK_ARN must end in /<stack name>/<UUID>');
  if (!/^[A-Za-z0-9_-]+$/.test(queuePrefix)) {
    throw new ConfigError('SERVICE and STAGE must consist of A-Z, a-z, 0-9, "_" and "-"');
  }
  const taskPartLength = ULID_LENGTH + FIFO_SUFFIX.length;
  if (queuePrefix.length + taskPartLength > QUEUE_NAME_LIMIT) {
    const room = QUEUE_NAME_LIMIT - taskPartLength - stack.length - 3;
    throw new ConfigError(
      `SERVICE and STAGE must have at most ${room} characters together: SQS names end at 80`,
    );
  }
  return {
    queuePrefix,
    rulePrefix,
    queueName: (taskId, isFifo = false) => `${queuePrefix}${taskId}${isFifo ? FIFO_SUFFIX : ''}`,
    ruleName: (taskId, ruleNumber) => `${rulePrefix}${taskId}_${ruleNumber}`,
    taskIdOfQueue(queueName) {
      const [, taskId] = TASK_PART.exec(after(queuePrefix, queueName) ?? '') ?? [];
      return taskId !== undefined && ULID.test(taskId) ? taskId : undefined;
    },
    taskOfRule(ruleName) {
      const [, taskId, digits] = RULE_SUFFIX.exec(after(rulePrefix, ruleName) ?? '') ?? [];
      return taskId && digits && ULID.test(taskId) ? { taskId, ruleNumber: Number(digits) } : undefined;
    },
    tags: (taskId) => ({ [STACK_TAG]: stackArn, [TASK_TAG]: taskId }),
    isTagged: (tags) => tags[STACK_TAG] === stackArn,
  };
}

function after(prefix: string, name: string): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}
