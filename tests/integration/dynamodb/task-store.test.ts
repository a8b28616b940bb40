import { afterAll } from '@jest/globals';
import { describeTaskStore } from '../../contract/task-store.ts';
import { createTables, storesOn } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeTaskStore('DynamoDB', async () => storesOn(await tables.open()));
