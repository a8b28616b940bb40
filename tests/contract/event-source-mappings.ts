import { beforeEach, describe, expect, it } from '@jest/globals';
import type { EventSourceMappings, Mapping, MappingSpec } from '../../lib/ports/event-source-mappings.ts';

export interface MappingsUnderTest {
  mappings: EventSourceMappings;
  /** A specification for a queue of its own that exists. */
  newSpec(): Promise<MappingSpec>;
  /** The same from a FIFO queue, which has no window. */
  newFifoSpec(): Promise<MappingSpec>;
  /** Waits until lists show what was done. */
  catchUp(): Promise<void>;
  /** Waits until a change is complete. */
  settle(): Promise<void>;
  /** Changes take a while, and refuse one another meanwhile. */
  hasTransientStates: boolean;
  /** Reads the visibility timeout of the queue, and refuses one below the function's timeout. */
  checksVisibility?: { shortSpec(): Promise<MappingSpec> };
}

/** What every system of mappings promises converge. */
export function describeEventSourceMappings(name: string, build: () => Promise<MappingsUnderTest>): void {
  describe(`EventSourceMappings, ${name}`, () => {
    let test: MappingsUnderTest;
    let spec: MappingSpec;
    let mapping: Mapping;
    beforeEach(async () => {
      test = await build();
      spec = await test.newSpec();
      mapping = await test.mappings.create(spec);
      await test.settle();
    });
    const changed = () => ({
      functionName: spec.functionName,
      enabled: true,
      batchSize: 500,
      maximumBatchingWindowSeconds: 1,
      maximumConcurrency: 7,
    });

    it('makes and changes a mapping from a FIFO queue, which has no window', async () => {
      const fifo = await test.newFifoSpec();
      const { uuid } = await test.mappings.create(fifo);
      await test.settle();
      const { queueArn, tags: _, ...form } = fifo;
      expect(await test.mappings.update(uuid, { ...form, enabled: true, batchSize: 5 })).toBeDefined();
      await test.settle();
      expect(await test.mappings.get(uuid)).toMatchObject({
        queueArn,
        state: 'Enabled',
        batchSize: 5,
        maximumBatchingWindowSeconds: 0,
      });
    });

    it('makes a mapping as specified, disabled', async () => {
      expect(await test.mappings.get(mapping.uuid)).toEqual({
        uuid: mapping.uuid,
        arn: mapping.arn,
        queueArn: spec.queueArn,
        functionName: spec.functionName,
        state: 'Disabled',
        batchSize: spec.batchSize,
        maximumBatchingWindowSeconds: spec.maximumBatchingWindowSeconds,
        maximumConcurrency: spec.maximumConcurrency,
        reportsBatchItemFailures: true,
        isFiltered: false,
      });
      expect(await test.mappings.tags(mapping.arn)).toEqual(spec.tags);
    });

    it('answers the mapping that exists instead of making a second one', async () => {
      await test.catchUp();
      expect((await test.mappings.create(spec)).uuid).toBe(mapping.uuid);
      await test.catchUp();
      const found = await test.mappings.list(spec.functionName);
      expect(found.filter(({ queueArn }) => queueArn === spec.queueArn)).toHaveLength(1);
    });

    it('enables and changes in one call', async () => {
      await test.mappings.update(mapping.uuid, changed());
      await test.settle();
      const { functionName, enabled: _, ...form } = changed();
      expect(await test.mappings.get(mapping.uuid)).toMatchObject({
        ...form,
        functionName,
        state: 'Enabled',
      });
      await test.mappings.update(mapping.uuid, { ...changed(), enabled: false });
      await test.settle();
      expect(await test.mappings.get(mapping.uuid)).toMatchObject({ state: 'Disabled' });
    });

    it('says not yet to a change that meets another', async () => {
      await test.mappings.update(mapping.uuid, changed());
      const second = test.mappings.update(mapping.uuid, { ...changed(), enabled: false });
      if (!test.hasTransientStates)
        return void (await expect(second).resolves.toMatchObject({ state: 'Disabled' }));
      await expect(second).rejects.toMatchObject({ code: 'MAPPING_IN_USE', reaction: 'not-yet' });
      await expect(test.mappings.delete(mapping.uuid)).rejects.toMatchObject({ code: 'MAPPING_IN_USE' });
    });

    it('finds a mapping by its queue', async () => {
      await test.catchUp();
      expect((await test.mappings.findByQueue(spec.queueArn, spec.functionName))?.uuid).toBe(mapping.uuid);
      const other = await test.newSpec();
      expect(await test.mappings.findByQueue(other.queueArn, spec.functionName)).toBeUndefined();
    });

    it('deletes a mapping, and answers for one that is gone', async () => {
      await test.mappings.delete(mapping.uuid);
      await test.settle();
      expect(await test.mappings.get(mapping.uuid)).toBeUndefined();
      await test.mappings.delete(mapping.uuid);
      expect(await test.mappings.update(mapping.uuid, changed())).toBeUndefined();
      expect(await test.mappings.tags(mapping.arn)).toEqual({});
    });

    it('fails with a hint when the queue shows its messages again too early', async () => {
      if (test.checksVisibility === undefined) return;
      const short = await test.checksVisibility.shortSpec();
      await expect(test.mappings.create(short)).rejects.toMatchObject({
        code: 'VISIBILITY_TOO_SHORT',
        reaction: 'failed',
        hint: expect.any(String),
      });
    });
  });
}
