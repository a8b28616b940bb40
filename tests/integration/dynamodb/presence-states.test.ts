import { afterAll } from '@jest/globals';
import { createDynamoPresenceStates } from '../../../lib/adapters/dynamodb/presence-states.ts';
import { describePresenceStates } from '../../contract/presence-states.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describePresenceStates('DynamoDB', async () => createDynamoPresenceStates(await tables.open()));
