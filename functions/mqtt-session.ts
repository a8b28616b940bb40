import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { readSessionShiftConfig } from '../lib/config/shift.ts';
import { createSessionShift } from './shifts/session-shift.ts';
import { createShiftHandler } from './shifts/shift-handler.ts';

const config = readSessionShiftConfig();
const logger = createLogger({ serviceName: 'mqtt-session', logLevel: config.LOG_LEVEL });

export const handler = createShiftHandler(createSessionShift(config, { clock, logger }), config, {
  clock,
  logger,
});
