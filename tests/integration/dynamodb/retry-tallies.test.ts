import { afterAll } from '@jest/globals';
import { createDynamoRetryTallies } from '../../../lib/adapters/dynamodb/retry-tallies.ts';
import { describeRetryTallies } from '../../contract/retry-tallies.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeRetryTallies('DynamoDB', async () => createDynamoRetryTallies(await tables.open()));
