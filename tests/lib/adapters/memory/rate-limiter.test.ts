import { createMemoryRateLimiter } from '../../../../lib/adapters/memory/rate-limiter.ts';
import { describeRateLimiter } from '../../../contract/rate-limiter.ts';
import { createJumpingClock } from '../../../helpers/converge-world.ts';

describeRateLimiter('memory', async () => {
  const clock = createJumpingClock();
  return { limiter: createMemoryRateLimiter(clock), advance: clock.advance };
});
