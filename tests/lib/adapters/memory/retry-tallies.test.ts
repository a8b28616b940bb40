import { createMemoryRetryTallies } from '../../../../lib/adapters/memory/retry-tallies.ts';
import { describeRetryTallies } from '../../../contract/retry-tallies.ts';

describeRetryTallies('memory', async () => createMemoryRetryTallies());
