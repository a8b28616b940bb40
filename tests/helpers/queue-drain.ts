import type { createLaneWorld } from './session-lane.ts';

/**
 * The batching function at the queue of a lane world: takes in the queue's order, and tells the marks.
 *
 * @param onTaken - the target has this message
 */
export function createQueueDrain(
  world: Pick<ReturnType<typeof createLaneWorld>, 'queue' | 'queueUrl' | 'queued' | 'groups' | 'task'>,
  onTaken: (body: string) => void = () => undefined,
) {
  let drained = 0;
  const left = () => world.queue.records(world.queueUrl).length - drained;
  return {
    left,
    /** @param options.isKilled - ends before it tells anybody, so that the same records come again */
    async drain(count = Number.POSITIVE_INFINITY, options: { isKilled?: boolean } = {}): Promise<void> {
      const records = world.queue.records(world.queueUrl).slice(drained, drained + count);
      const bodies = world.queued(drained, drained + count);
      for (const body of bodies) onTaken(body);
      if (options.isKilled === true) return;
      drained += records.length;
      for (const { groupKey, putId } of records) {
        if (groupKey !== undefined) await world.groups.settled(world.task.taskId, groupKey, putId);
      }
    },
  };
}
