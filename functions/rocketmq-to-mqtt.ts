import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { createLogger } from '../lib/adapters/system/logger.ts';
import { readPullShiftConfig } from '../lib/config/shift.ts';
import { createPullShift } from './shifts/pull-shift.ts';
import { createShiftHandler } from './shifts/shift-handler.ts';

const config = readPullShiftConfig();
const logger = createLogger({ serviceName: 'rocketmq-to-mqtt', logLevel: config.LOG_LEVEL });

export const handler = createShiftHandler(createPullShift(config, { clock, logger }), config, {
  clock,
  logger,
});
