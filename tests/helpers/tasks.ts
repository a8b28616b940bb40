import { randomUUID } from 'node:crypto';
import { ulid } from 'ulid';
import { ClusterInput } from '../../lib/domain/clusters/cluster.ts';
import { TaskDefinition } from '../../lib/domain/tasks/task.ts';
import type { ClusterStore } from '../../lib/ports/cluster-store.ts';
import type { NewTask } from '../../lib/ports/task-store.ts';

/** A clock that moves only when told to. */
export interface ManualClock {
  now(): number;
  advance(ms: number): void;
}

/** @param startMs - epoch ms; by default the real time at which it is made */
export function createManualClock(startMs: number = Date.now()): ManualClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance(ms) {
      nowMs += ms;
    },
  };
}

/** The definition of the product's main task, as the API parses it; `changes` replace whole members. */
export function definitionWith(changes: Partial<Record<keyof TaskDefinition, unknown>> = {}): TaskDefinition {
  return TaskDefinition.parse({
    taskName: `task-${randomUUID()}`,
    source: { clusterId: 'devices', topicFilters: ['stations/+/status'] },
    target: { clusterId: 'business', topic: 'charger_status' },
    ...changes,
  });
}

/** A creation as the use case hands it to the store. */
export function newTaskWith(changes: Partial<NewTask> = {}): NewTask {
  return {
    taskId: ulid(),
    definition: definitionWith(),
    direction: 'mqtt-to-rocketmq',
    sourceRegion: 'eu-west-1',
    desired: 'paused',
    at: new Date().toISOString(),
    concurrencyLimit: 100,
    ...changes,
  };
}

export const devices = ClusterInput.parse({ kind: 'aws-iot', name: 'Devices', region: 'eu-west-1' });
export const business = ClusterInput.parse({
  kind: 'rocketmq',
  name: 'Business',
  region: 'eu-west-1',
  endpoint: 'rmq.example:8081',
});

/** Registers both ends of the main task. */
export async function registerClusters(clusters: ClusterStore): Promise<void> {
  const at = new Date().toISOString();
  await clusters.put('devices', devices, { at });
  await clusters.put('business', business, { at });
  await clusters.putTopic('business', 'charger_status', 'NORMAL', { at });
}
