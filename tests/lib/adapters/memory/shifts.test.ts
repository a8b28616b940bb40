import { createMemoryShiftRoster, createMemoryShiftSlots } from '../../../../lib/adapters/memory/shifts.ts';
import { describeShiftRoster, describeShiftSlots } from '../../../contract/shifts.ts';
import { createManualClock } from '../../../helpers/tasks.ts';

describeShiftRoster('memory', async () => createMemoryShiftRoster());

describeShiftSlots('memory', async () => {
  const clock = createManualClock();
  return { slots: createMemoryShiftSlots(clock), advance: (ms) => clock.advance(ms) };
});
