import { afterAll } from '@jest/globals';
import { createDynamoOverflowGroups } from '../../../lib/adapters/dynamodb/overflow-groups.ts';
import { describeOverflowGroups } from '../../contract/overflow-groups.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeOverflowGroups('DynamoDB', async () => createDynamoOverflowGroups(await tables.open()));
