import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import type { PullShiftConfig } from '../../lib/config/shift.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { InvocationLogger } from '../../lib/ports/logger.ts';
import type { RunShift, ShiftReport } from '../../lib/replication/shifts/shift.ts';

/** Answers a tick, or converge because a task was started and no shift was there: one shift, if one is needed. */
export function createShiftHandler(
  runShift: RunShift,
  { SHIFT_SECONDS }: Pick<PullShiftConfig, 'SHIFT_SECONDS'>,
  { clock, logger }: { clock: Pick<Clock, 'now'>; logger: InvocationLogger },
): (event: unknown, context: Context) => Promise<ShiftReport> {
  return async (_event, context) => {
    logger.setContext({ requestId: context.awsRequestId });
    const leftMs = Math.min(context.getRemainingTimeInMillis(), SHIFT_SECONDS * 1_000);
    // One asynchronous invocation may be delivered twice, with one request id: two owners all the same.
    const owner = `${context.awsRequestId}-${randomUUID()}`;
    return runShift({ owner, deadlineMs: clock.now() + leftMs });
  };
}
