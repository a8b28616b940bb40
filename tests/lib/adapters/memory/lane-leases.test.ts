import { createMemoryLaneLeases } from '../../../../lib/adapters/memory/lane-leases.ts';
import { describeLaneLeases } from '../../../contract/lane-leases.ts';
import { createManualClock } from '../../../helpers/tasks.ts';

describeLaneLeases('memory', async () => {
  const clock = createManualClock();
  return { leases: createMemoryLaneLeases(clock), advance: (ms) => clock.advance(ms) };
});
