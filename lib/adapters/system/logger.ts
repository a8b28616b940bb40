import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import type { InvocationLogger } from '../../ports/logger.ts';

/**
 * Structured JSON lines on the function's log stream.
 *
 * @example const logger = createLogger({ serviceName: 'api-tasks', logLevel: 'INFO' });
 */
export function createLogger(options: {
  serviceName: string;
  logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
}): InvocationLogger {
  const logger = new PowertoolsLogger(options);
  return {
    debug: (message, fields = {}) => logger.debug(message, fields),
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
    error: (message, fields = {}) => logger.error(message, fields),
    setContext(fields) {
      logger.resetKeys();
      logger.appendKeys({ ...fields });
    },
  };
}
