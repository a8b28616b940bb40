/**
 * One sandbox of a shift's function, as a process of its own: again and again it is given a tick and so many seconds, as
 * Lambda does. Its environment is the function's; `TRIAL` says the rest.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createPullShift } from '../../functions/shifts/pull-shift.ts';
import { createSessionShift } from '../../functions/shifts/session-shift.ts';
import { systemClock as clock } from '../../lib/adapters/system/clock.ts';
import { createLogger } from '../../lib/adapters/system/logger.ts';
import { readPullShiftConfig, readSessionShiftConfig } from '../../lib/config/shift.ts';
import { SHIFT_TIMES } from '../../lib/replication/shifts/shift-times.ts';
import type { WorkerSettings } from './workers.ts';

const settings = JSON.parse(process.env.TRIAL ?? '{}') as WorkerSettings;
const logger = createLogger({ serviceName: 'trial', logLevel: 'INFO' });
const times = { ...SHIFT_TIMES, ...settings.times };
const runShift =
  settings.kind === 'pull'
    ? createPullShift(readPullShiftConfig(), { clock, logger, times })
    : createSessionShift(readSessionShiftConfig(), { clock, logger, times });

logger.info('sandbox ready');
for (;;) {
  const owner = `${process.pid} ${randomUUID()}`;
  const deadline = settings.shiftMs === undefined ? {} : { deadlineMs: clock.now() + settings.shiftMs };
  const report = await runShift({ owner, ...deadline }).catch((error: unknown) => {
    logger.error('shift failed', { error });
    return undefined;
  });
  if (report !== undefined && report.place !== 'none') logger.info('shift reported', { ...report });
  await delay(settings.tickMs);
}
