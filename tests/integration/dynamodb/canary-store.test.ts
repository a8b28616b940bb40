import { afterAll } from '@jest/globals';
import { createDynamoCanaryStore } from '../../../lib/adapters/dynamodb/canary-store.ts';
import { describeCanaryStore } from '../../contract/canary-store.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeCanaryStore('DynamoDB', async () => createDynamoCanaryStore(await tables.open()));
