import type { Cluster, RegisteredTopic, RocketmqMessageType } from '../../lib/domain/clusters/cluster.ts';
import type { DefinitionCheck, DefinitionContext } from '../../lib/domain/rules/definition-check.ts';
import { checkDefinition } from '../../lib/domain/rules/task-rules.ts';
import { withPath } from '../../lib/domain/tasks/task-path.ts';
import { business, definitionWith, devices } from './tasks.ts';

const at = '2026-08-01T10:00:00.000Z';
const stored = { version: 1, createdAt: at, updatedAt: at };

/** A cluster of each kind, as they are stored. */
export const iot: Cluster = { ...devices, ...stored, clusterId: 'devices' };
export const rocketmq: Cluster = { ...business, ...stored, clusterId: 'business' };
export const mqtt: Cluster = {
  kind: 'mqtt',
  name: 'Factory',
  region: 'eu-west-1',
  url: 'mqtts://mqtt.example:8883',
  ...stored,
  clusterId: 'factory',
};

export function registered(type: RocketmqMessageType, topic = 'charger_status'): RegisteredTopic {
  return { clusterId: 'business', topic, type, createdAt: at, updatedAt: at };
}

export type Changes = Parameters<typeof definitionWith>[0];
export type Context = Partial<Omit<DefinitionContext, 'definition'>>;

/** Checks the main task with some of its members replaced, its path said as the use case does. */
export function check(changes: Changes = {}, context: Context = {}): DefinitionCheck {
  const sourceCluster = context.sourceCluster ?? iot;
  return checkDefinition({
    targetCluster: rocketmq,
    registeredTopic: registered('NORMAL'),
    allowedTopicPrefixes: [],
    ...context,
    definition: withPath(definitionWith(changes), sourceCluster),
    sourceCluster,
  });
}

/** `field: CODE` of each. */
export function found(list: readonly { field: string; code: string }[]): string[] {
  return list.map(({ field, code }) => `${field}: ${code}`);
}

export function errorsOf(changes?: Changes, context?: Context): string[] {
  return found(check(changes, context).errors);
}

export function warningsOf(changes?: Changes, context?: Context): string[] {
  return found(check(changes, context).warnings);
}
