import { afterAll } from '@jest/globals';
import { createDynamoConvergeState } from '../../../lib/adapters/dynamodb/converge-state.ts';
import { createDynamoRateLimiter } from '../../../lib/adapters/dynamodb/rate-limiter.ts';
import { describeConvergeState } from '../../contract/converge-state.ts';
import { describeRateLimiter } from '../../contract/rate-limiter.ts';
import { createJumpingClock } from '../../helpers/converge-world.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeRateLimiter('DynamoDB', async () => {
  const clock = createJumpingClock();
  return { limiter: createDynamoRateLimiter(await tables.open(), clock), advance: clock.advance };
});

describeConvergeState('DynamoDB', async () => createDynamoConvergeState(await tables.open()));
