import { afterAll } from '@jest/globals';
import { createDynamoLaneLeases } from '../../../lib/adapters/dynamodb/lane-leases.ts';
import { createDynamoShiftRoster } from '../../../lib/adapters/dynamodb/shift-roster.ts';
import { createDynamoShiftSlots } from '../../../lib/adapters/dynamodb/shift-slots.ts';
import { describeLaneLeases } from '../../contract/lane-leases.ts';
import { describeShiftRoster, describeShiftSlots } from '../../contract/shifts.ts';
import { createManualClock } from '../../helpers/tasks.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeLaneLeases('DynamoDB', async () => {
  const clock = createManualClock();
  return {
    leases: createDynamoLaneLeases(await tables.open(), clock),
    advance: (ms) => clock.advance(ms),
  };
});

describeShiftRoster('DynamoDB', async () => createDynamoShiftRoster(await tables.open()));

describeShiftSlots('DynamoDB', async () => {
  const clock = createManualClock();
  return { slots: createDynamoShiftSlots(await tables.open(), clock), advance: (ms) => clock.advance(ms) };
});
