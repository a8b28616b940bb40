/**
 * `npm run shift`: both kinds of shifts in one long-lived process, for those whose load never sleeps. It reads the same
 * environment as the functions do. SIGTERM and SIGINT drain it; a second one ends it at once.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { readPullShiftConfig, readSessionShiftConfig } from '../lib/config/shift.ts';
import type { RunShift } from '../lib/replication/shifts/shift.ts';
import { createPullShift } from './shifts/pull-shift.ts';
import { createSessionShift } from './shifts/session-shift.ts';

/** How soon a process that found nothing to do, or whose table is away, looks again. */
const LOOK_AGAIN_MS = 1_000;

const config = readSessionShiftConfig();
const logger = createLogger({ serviceName: 'shift-process', logLevel: config.LOG_LEVEL });
const ending = new AbortController();
const owner = `${hostname()}-${process.pid}-${randomUUID()}`;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (ending.signal.aborted) process.exit(1);
    logger.info('draining', { signal });
    ending.abort();
  });
}

await Promise.all([
  goOn(createPullShift(readPullShiftConfig(), { clock, logger })),
  goOn(createSessionShift(config, { clock, logger })),
]);
logger.info('drained');
process.exit();

/** One shift after the other, until the process is told to end. */
async function goOn(runShift: RunShift): Promise<void> {
  while (!ending.signal.aborted) {
    try {
      await runShift({ owner, signal: ending.signal });
    } catch (error) {
      logger.error('shift failed', { error });
    }
    await clock.sleep(LOOK_AGAIN_MS, ending.signal).catch(() => undefined);
  }
}
