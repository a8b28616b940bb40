import type { Task } from '../../domain/tasks/task.ts';
import type { RemovalStep } from './converge-removal.ts';
import { record, type StepContext, type StepOutcome, without } from './converge-steps.ts';

/** How long a mapping that was asked for may take to appear in Lambda's list. */
const MAPPING_APPEARS_MS = 30_000;

type OwnStep = Extract<
  RemovalStep,
  { kind: 'note-inflow-ended' | 'find-queue' | 'find-mapping' | 'delete-mapping' | 'delete-queue' }
>;

/** Performs one step of a removal. Every step may be repeated after a crash. */
export async function performRemovalStep(
  step: OwnStep,
  task: Task,
  context: StepContext,
): Promise<StepOutcome> {
  const { cloud, clock } = context;
  const { resources } = task;
  switch (step.kind) {
    case 'note-inflow-ended':
      return record({ ...resources, inflowEndedAtMs: clock.now() });
    case 'find-queue':
      return findQueue(task, context);
    case 'find-mapping':
      return findMapping(task, context);
    case 'delete-mapping':
      if (resources.mapping === undefined) return {};
      await cloud.mappings.delete(resources.mapping.uuid);
      return { seen: { mapping: undefined } };
    case 'delete-queue':
      return deleteQueue(task, context);
  }
}

/** A run may have died between making the queue and recording it: its name tells. */
async function findQueue(
  { taskId, resources }: Task,
  { cloud, settings: { names } }: StepContext,
): Promise<StepOutcome> {
  for (const name of [names.queueName(taskId), names.queueName(taskId, true)]) {
    const queue = await cloud.queues.describe(name);
    if (queue !== undefined)
      return record({ ...resources, queue: { url: queue.url, arn: queue.arn, specHash: '' } });
  }
  return { seen: { queueLookedUp: true } };
}

async function findMapping(
  { resources }: Task,
  { cloud, settings, clock }: StepContext,
): Promise<StepOutcome> {
  const { queue, mappingRequestedAtMs = 0 } = resources;
  const found = queue && (await cloud.mappings.findByQueue(queue.arn, settings.batchFunctionName));
  const rest = without(resources, 'mappingRequestedAtMs');
  if (found !== undefined) {
    const mapping = { uuid: found.uuid, specHash: '', enabled: found.state === 'Enabled' };
    return { ...record({ ...rest, mapping }), seen: { mapping: found } };
  }
  const leftMs = mappingRequestedAtMs + MAPPING_APPEARS_MS - clock.now();
  return leftMs > 0 ? { waitMs: Math.min(leftMs, 5_000) } : record(rest);
}

async function deleteQueue({ resources }: Task, { cloud }: StepContext): Promise<StepOutcome> {
  if (resources.queue !== undefined) await cloud.queues.delete(resources.queue.url);
  return { ...record(without(resources, 'queue')), seen: { queueLookedUp: true } };
}
