import { describe, expect, it } from '@jest/globals';
import type { ConvergeState } from '../../lib/ports/converge-state.ts';

/** What every memory of converge promises. */
export function describeConvergeState(name: string, build: () => Promise<ConvergeState>): void {
  describe(`ConvergeState, ${name}`, () => {
    it('is empty at first', async () => {
      expect(await (await build()).read()).toEqual({ regions: [], suspects: {} });
    });

    it('keeps every region once', async () => {
      const state = await build();
      await Promise.all(['us-east-1', 'eu-west-1', 'us-east-1'].map((region) => state.addRegion(region)));
      expect((await state.read()).regions).toEqual(['eu-west-1', 'us-east-1']);
    });

    it('keeps the last counts of queues beside it', async () => {
      const state = await build();
      await state.saveBacklogs({ a: 5, b: 1 });
      await state.saveAudit({ suspects: { 'queue a': 5 } });
      await state.saveBacklogs({ a: 7 });
      expect(await state.read()).toEqual({ regions: [], suspects: { 'queue a': 5 }, backlogs: { a: 7 } });
    });

    it('keeps where the audit stands, and forgets it when the audit is through', async () => {
      const state = await build();
      await state.addRegion('eu-west-1');
      await state.saveAudit({ suspects: { 'queue a': 5 }, auditCursor: 'c' });
      expect(await state.read()).toEqual({
        regions: ['eu-west-1'],
        suspects: { 'queue a': 5 },
        auditCursor: 'c',
      });
      await state.saveAudit({ suspects: {} });
      expect(await state.read()).toEqual({ regions: ['eu-west-1'], suspects: {} });
    });
  });
}
