import { afterAll } from '@jest/globals';
import { createDynamoDeadLetterJobs } from '../../../lib/adapters/dynamodb/dead-letter-jobs.ts';
import { describeDeadLetterJobs } from '../../contract/dead-letter-jobs.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeDeadLetterJobs('DynamoDB', async (clock) => createDynamoDeadLetterJobs(await tables.open(), clock));
