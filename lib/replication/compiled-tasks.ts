import type { MqttToRocketmqDefinition, Task } from '../domain/tasks/task.ts';
import { isFromMqtt } from '../domain/tasks/task-path.ts';
import { literalTextOf } from '../domain/templates/template.ts';
import { createRuleSelector } from '../domain/topics/topic-filter.ts';
import { createMqttToRocketmqMapper, type MqttToRocketmqMapper } from '../mapping/mqtt-to-rocketmq.ts';
import { createPresenceReader, type PresenceReader } from '../mapping/presence.ts';

/** Enough for every task that one sandbox can be mapped to at a time; a compiled task takes a few kilobytes. */
const MAX_COMPILED = 200;

/** What of a task's definition is needed per record, ready for use. */
export interface CompiledTask {
  mapper: MqttToRocketmqMapper;
  /** The lowest-numbered filter that matches a topic name, of those that have a rule. */
  selectRule: (topicName: string) => number | undefined;
  /** The target topic is the same for every message. */
  hasFixedTopic: boolean;
  /** Messages have a message group, within which they stay in order. */
  isGrouped: boolean;
  maxHops: number;
  /** Absent: what comes of devices is carried like everything else. */
  presence?: PresenceReader;
}

/**
 * Compiles definitions, once per task and version. Answers undefined for a definition of another direction; throws a
 * `TypeError` for one that does not compile, which was checked when the task was saved.
 */
export type CompileTask = (task: Task) => CompiledTask | undefined;

export function createCompiledTasks(): CompileTask {
  const known = new Map<string, CompiledTask>();
  return ({ taskId, version, definition }) => {
    const key = `${taskId} ${version}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    if (!isFromMqtt(definition)) return undefined;
    const compiled = compile(definition, taskId);
    const oldest = known.size < MAX_COMPILED ? undefined : known.keys().next().value;
    if (oldest !== undefined) known.delete(oldest);
    known.set(key, compiled);
    return compiled;
  };
}

function compile(definition: MqttToRocketmqDefinition, taskId: string): CompiledTask {
  const { source, target, options } = definition;
  return {
    mapper: createMqttToRocketmqMapper(definition, taskId),
    selectRule: createRuleSelector(source.topicFilters, options.via !== 'session' ? 'aws-iot' : 'mqtt'),
    isGrouped: target.messageGroup !== undefined || options.ordering !== 'none',
    hasFixedTopic: literalTextOf(target.topic) !== undefined,
    maxHops: options.maxHops,
    ...(options.presence === undefined ? {} : { presence: createPresenceReader(options.presence) }),
  };
}
