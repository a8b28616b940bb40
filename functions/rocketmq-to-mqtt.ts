import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { readPullShiftConfig } from '../lib/config/shift.ts';
import type { ShiftReport } from '../lib/replication/shift.ts';
import { createPullShift } from './shifts/pull-shift.ts';

const config = readPullShiftConfig();
const logger = createLogger({ serviceName: 'rocketmq-to-mqtt', logLevel: config.LOG_LEVEL });
const runShift = createPullShift(config, { clock, logger });

/** A tick, or converge because a task was started and no shift was there: one shift, if one is needed. */
export async function handler(_event: unknown, context: Context): Promise<ShiftReport> {
  logger.setContext({ requestId: context.awsRequestId });
  const leftMs = Math.min(context.getRemainingTimeInMillis(), config.SHIFT_SECONDS * 1_000);
  // One asynchronous invocation may be delivered twice, with one request id: two owners all the same.
  const owner = `${context.awsRequestId}-${randomUUID()}`;
  return runShift({ owner, deadlineMs: clock.now() + leftMs });
}
