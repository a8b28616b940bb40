import { inKnownRegion } from '../../domain/errors/control-plane-error.ts';
import { queueNameOf, type SpecSettings } from '../../domain/tasks/resource-specs.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Mapping } from '../../ports/event-source-mappings.ts';
import type { Cloud } from './converge-steps.ts';

/** Something in the cloud whose name is one of ours. The name alone does not say that it is ours. */
export interface FoundResource {
  /** Kind, place and name, for people. */
  id: string;
  taskId: string;
  isWantedBy(task: Task): boolean;
  /** Whether it is there and carries the tag of this stack. */
  isOurs(): Promise<boolean>;
  /** Begins its deletion. */
  delete(): Promise<void>;
  /** Whether its deletion is complete once `delete` has resolved, or has to be looked at. */
  isGone(): Promise<boolean>;
}

export interface Inventory {
  rules(region: string): Promise<FoundResource[]>;
  mappings(): Promise<FoundResource[]>;
  queues(): Promise<FoundResource[]>;
  /** What the table says was made, whether lists show it or not. In the order in which it has to go. */
  recordedOf(task: Task): { rules: FoundResource[]; mappings: FoundResource[]; queues: FoundResource[] };
}

/** Finds what was made at run time: by the lists of the cloud, and by the table. */
export function createInventory({
  cloud,
  settings: { names, batchFunctionName },
}: {
  cloud: Cloud;
  settings: Pick<SpecSettings, 'names' | 'batchFunctionName'>;
}): Inventory {
  /** @param isMade - it was there once */
  function rule(region: string, name: string, isMade = true): FoundResource | undefined {
    const parsed = names.taskOfRule(name);
    if (parsed === undefined) return undefined;
    const rules = cloud.rules.inRegion(region);
    return {
      id: `topic rule ${region}/${name}`,
      taskId: parsed.taskId,
      isWantedBy({ resources }) {
        const record = resources.rules[String(parsed.ruleNumber)];
        return record?.name === name && record.region === region;
      },
      async isOurs() {
        const get = () => rules.get(name);
        const found = await (isMade ? get() : inKnownRegion(get, undefined));
        return found !== undefined && names.isTagged(await rules.tags(found.arn));
      },
      delete: () => rules.delete(name),
      isGone: async () => true,
    };
  }

  function mapping(found: Pick<Mapping, 'uuid' | 'queueArn'>, arn?: string): FoundResource | undefined {
    const queueName = found.queueArn.split(':').at(-1) ?? '';
    const taskId = names.taskIdOfQueue(queueName);
    if (taskId === undefined) return undefined;
    const { uuid } = found;
    return {
      id: `mapping ${uuid} of queue ${queueName}`,
      taskId,
      // One that a task has not recorded yet may be just being made.
      isWantedBy: (task) =>
        task.resources.mapping?.uuid === uuid ||
        (task.resources.mapping === undefined && queueNameOf(task, names) === queueName),
      async isOurs() {
        const known = arn ?? (await cloud.mappings.get(uuid))?.arn;
        return known !== undefined && names.isTagged(await cloud.mappings.tags(known));
      },
      delete: () => cloud.mappings.delete(uuid),
      isGone: async () => (await cloud.mappings.get(uuid)) === undefined,
    };
  }

  function queue(name: string): FoundResource | undefined {
    const taskId = names.taskIdOfQueue(name);
    if (taskId === undefined) return undefined;
    let url: string | undefined;
    return {
      id: `queue ${name}`,
      taskId,
      // Another one is left of a path or an ordering that the task had.
      isWantedBy: (task) =>
        task.resources.queue?.arn.endsWith(`:${name}`) === true ||
        (task.resources.queue === undefined && queueNameOf(task, names) === name),
      async isOurs() {
        const found = await cloud.queues.describe(name);
        url = found?.url;
        return found !== undefined && names.isTagged(found.tags);
      },
      async delete() {
        url ??= (await cloud.queues.describe(name))?.url;
        if (url !== undefined) await cloud.queues.delete(url);
      },
      isGone: async () => true,
    };
  }

  return {
    async rules(region) {
      const listed = await inKnownRegion(() => cloud.rules.inRegion(region).list(names.rulePrefix), []);
      return listed.map((name) => rule(region, name)).filter(isPresent);
    },
    async mappings() {
      const listed = await cloud.mappings.list(batchFunctionName);
      return listed.map((found) => mapping(found, found.arn)).filter(isPresent);
    },
    async queues() {
      const listed = await cloud.queues.list(names.queuePrefix);
      return listed.map(queue).filter(isPresent);
    },
    recordedOf({ taskId, resources }) {
      const queueNames = [names.queueName(taskId), names.queueName(taskId, true)];
      const queueArn = resources.queue?.arn ?? names.queueName(taskId);
      const recorded = resources.mapping && mapping({ uuid: resources.mapping.uuid, queueArn });
      return {
        rules: Object.values(resources.rules)
          .map(({ region, name, specHash }) => rule(region, name, specHash !== ''))
          .filter(isPresent),
        mappings: [recorded].filter(isPresent),
        // Made and not recorded it may be of either kind.
        queues: queueNames.map(queue).filter(isPresent),
      };
    },
  };
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
