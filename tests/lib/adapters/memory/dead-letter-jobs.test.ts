import { createMemoryDeadLetterJobs } from '../../../../lib/adapters/memory/dead-letter-jobs.ts';
import { describeDeadLetterJobs } from '../../../contract/dead-letter-jobs.ts';

describeDeadLetterJobs('memory', async (clock) => createMemoryDeadLetterJobs(clock));
