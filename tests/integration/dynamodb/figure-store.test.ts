import { afterAll } from '@jest/globals';
import { createDynamoFigureStore } from '../../../lib/adapters/dynamodb/figure-store.ts';
import { describeFigureStore } from '../../contract/figure-store.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeFigureStore('DynamoDB', async () => createDynamoFigureStore(await tables.open()));
