import { beforeEach, describe, expect, it } from '@jest/globals';
import type { QueueCounter, TaskQueueSpec, TaskQueues } from '../../lib/ports/task-queues.ts';

export interface TaskQueuesUnderTest {
  queues: TaskQueues & QueueCounter;
  /** A specification with a name that nobody has used. */
  newSpec(): TaskQueueSpec;
  /** The same of a FIFO queue. */
  newFifoSpec(): TaskQueueSpec;
  /** Puts messages into a queue. */
  send(url: string, count: number): Promise<void>;
  /** Waits until lists and counts show what was done. */
  catchUp(): Promise<void>;
  /** Waits until a deleted queue's name may be used again. Absent: the system blocks none. */
  unblockNames?(): Promise<void>;
}

/** What every system of queues promises converge. */
export function describeTaskQueues(name: string, build: () => Promise<TaskQueuesUnderTest>): void {
  describe(`TaskQueues, ${name}`, () => {
    let test: TaskQueuesUnderTest;
    let spec: TaskQueueSpec;
    beforeEach(async () => {
      test = await build();
      spec = test.newSpec();
    });

    it('makes a queue as specified, with its tags', async () => {
      const { url, arn } = await test.queues.ensure(spec);
      const { name: _, ...attributes } = spec;
      expect(await test.queues.describe(spec.name)).toEqual({ url, arn, ...attributes });
      expect(arn.endsWith(`:${spec.name}`)).toBe(true);
    });

    it('answers the same queue when it is ensured again', async () => {
      const first = await test.queues.ensure(spec);
      expect(await test.queues.ensure(spec)).toEqual(first);
    });

    it('brings a queue of another form to the specification', async () => {
      await test.queues.ensure({
        ...spec,
        visibilityTimeoutSeconds: 60,
        maxReceiveCount: 5,
        tags: { old: 'yes' },
      });
      await test.queues.ensure(spec);
      expect(await test.queues.describe(spec.name)).toMatchObject({
        visibilityTimeoutSeconds: spec.visibilityTimeoutSeconds,
        maxReceiveCount: spec.maxReceiveCount,
        tags: spec.tags,
      });
    });

    it('makes a FIFO queue, answers it again, and brings it to another specification', async () => {
      const fifo = test.newFifoSpec();
      const first = await test.queues.ensure(fifo);
      const { name: _, ...attributes } = fifo;
      expect(await test.queues.describe(fifo.name)).toEqual({ ...first, ...attributes });
      expect(await test.queues.ensure(fifo)).toEqual(first);
      expect(await test.queues.ensure({ ...fifo, visibilityTimeoutSeconds: 60 })).toEqual(first);
      expect(await test.queues.describe(fifo.name)).toMatchObject({
        isFifo: true,
        visibilityTimeoutSeconds: 60,
      });
    });

    it('knows no queue that was never made', async () => {
      expect(await test.queues.describe(spec.name)).toBeUndefined();
    });

    it('deletes a queue, and deletes what is gone without an error', async () => {
      const { url } = await test.queues.ensure(spec);
      await test.queues.delete(url);
      await test.queues.delete(url);
      expect(await test.queues.describe(spec.name)).toBeUndefined();
      expect(await test.queues.backlog(url)).toBeUndefined();
    });

    it('says not yet where the name of a deleted queue is blocked, and takes it afterwards', async () => {
      const { url } = await test.queues.ensure(spec);
      await test.queues.delete(url);
      if (test.unblockNames !== undefined) {
        await expect(test.queues.ensure(spec)).rejects.toMatchObject({
          name: 'ControlPlaneError',
          code: 'QUEUE_DELETED_RECENTLY',
          reaction: 'not-yet',
          waitMs: 60_000,
        });
        await test.unblockNames();
      }
      await test.queues.ensure(spec);
      expect(await test.queues.describe(spec.name)).toBeDefined();
    });

    it('lists the queues of a prefix', async () => {
      await test.queues.ensure(spec);
      const other = test.newSpec();
      await test.queues.ensure({ ...other, name: `other-${other.name}` });
      await test.catchUp();
      expect(await test.queues.list(spec.name)).toEqual([spec.name]);
      expect(await test.queues.list('no-such-prefix')).toEqual([]);
    });

    it('counts what waits', async () => {
      const { url } = await test.queues.ensure(spec);
      expect(await test.queues.backlog(url)).toEqual({ waiting: 0, inFlight: 0 });
      await test.send(url, 3);
      await test.catchUp();
      expect(await test.queues.backlog(url)).toEqual({ waiting: 3, inFlight: 0 });
    });
  });
}
