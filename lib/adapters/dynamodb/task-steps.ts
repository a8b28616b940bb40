import {
  clusterChanged,
  clusterNotFound,
  concurrencyExhausted,
  taskNameTaken,
  topicNotFound,
} from '../../domain/errors/request-errors.ts';
import { rocketmqClusterIdOf } from '../../domain/tasks/rocketmq-end.ts';
import type { TaskDefinition } from '../../domain/tasks/task.ts';
import { absent, all, any, atMost, changing, conditional, equals, present } from './expressions.ts';
import { clusterKey, concurrencyKey, type Key, taskNameKey, topicKey } from './table.ts';
import type { Found, Step } from './write.ts';

/** What a task uses, and with it the counters in which it is counted. */
export interface Uses {
  source: { clusterId: string; region: string };
  target: { clusterId: string };
  rocketmqTopic?: { clusterId: string; topic: string };
}

interface Counter {
  key: Key;
  change: number;
  /** Set where a task begins to use the record. */
  source?: Uses['source'];
  missing: Error;
}

export function usesOf(
  definition: TaskDefinition,
  sourceRegion: string,
  rocketmqTopic: string | undefined,
): Uses {
  return {
    source: { clusterId: definition.source.clusterId, region: sourceRegion },
    target: { clusterId: definition.target.clusterId },
    ...(rocketmqTopic === undefined
      ? {}
      : { rocketmqTopic: { clusterId: rocketmqClusterIdOf(definition), topic: rocketmqTopic } }),
  };
}

/**
 * Steps that move a task's use from `before` to `after`; nothing for what stays. What a task begins to use has to exist,
 * and its source has to be where the task thinks it is.
 */
export function useSteps(before: Uses | undefined, after: Uses | undefined): Step[] {
  const counters = new Map<string, Counter>();
  const count = (uses: Uses | undefined, change: number) => {
    for (const counter of uses === undefined ? [] : countersOf(uses, change)) {
      const id = `${counter.key.PK} ${counter.key.SK}`;
      const same = counters.get(id);
      counters.set(id, { ...same, ...counter, change: (same?.change ?? 0) + change });
    }
  };
  count(before, -1);
  count(after, 1);
  return [...counters.values()].filter(({ change }) => change !== 0).map(useStep);
}

/** Gives a name to a task: refused when it is taken. */
export function takeNameStep(taskName: string, taskId: string): Step {
  return {
    item: {
      Put: {
        Item: { ...taskNameKey(taskName), taskId },
        ...conditional(absent('PK')),
      },
    },
    refusal: () => taskNameTaken(taskName),
  };
}

export function freeNameStep(taskName: string, taskId: string): Step {
  return {
    item: {
      Delete: { Key: taskNameKey(taskName), ...conditional(equals('taskId', taskId)) },
    },
  };
}

/** Takes units of the stack's concurrency, up to the limit, or gives them back; nothing for 0. */
export function reserveSteps(units: number, limit: number): Step[] {
  if (units === 0) return [];
  const fits = atMost('used', limit - units);
  const condition =
    units < 0 ? present('PK') : units <= limit ? any(absent('PK'), fits) : all(present('PK'), fits);
  return [
    {
      item: {
        Update: { Key: concurrencyKey, ...changing({ add: { used: units } }, condition) },
      },
      refusal: (found) => concurrencyExhausted(units, Math.max(0, limit - Number(found?.used ?? 0)), limit),
    },
  ];
}

function countersOf({ source, target, rocketmqTopic }: Uses, change: number): Counter[] {
  return [
    {
      key: clusterKey(source.clusterId),
      change,
      missing: clusterNotFound(source.clusterId),
      ...(change > 0 ? { source } : {}),
    },
    { key: clusterKey(target.clusterId), change, missing: clusterNotFound(target.clusterId) },
    ...(rocketmqTopic === undefined
      ? []
      : [
          {
            key: topicKey(rocketmqTopic.clusterId, rocketmqTopic.topic),
            change,
            missing: topicNotFound(rocketmqTopic.clusterId, rocketmqTopic.topic),
          },
        ]),
  ];
}

function useStep({ key, change, source, missing }: Counter): Step {
  const condition =
    source === undefined ? present('PK') : all(present('PK'), equals('region', source.region));
  return {
    item: {
      Update: { Key: key, ...changing({ add: { taskCount: change } }, condition) },
    },
    refusal: (found: Found) =>
      found === undefined || source === undefined ? missing : clusterChanged(source.clusterId),
  };
}
