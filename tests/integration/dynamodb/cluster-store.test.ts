import { afterAll } from '@jest/globals';
import { describeClusterStore } from '../../contract/cluster-store.ts';
import { createTables, storesOn } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeClusterStore('DynamoDB', async () => storesOn(await tables.open()));
