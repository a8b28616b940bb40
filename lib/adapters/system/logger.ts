import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import type { InvocationLogger } from '../../ports/logger.ts';
import type { MetricsLog } from '../../ports/metrics-log.ts';

/**
 * Structured JSON lines on the function's log stream, those with metrics among them.
 *
 * @example const logger = createLogger({ serviceName: 'api-tasks', logLevel: 'INFO' });
 */
export function createLogger(options: {
  serviceName: string;
  logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
}): InvocationLogger & MetricsLog {
  const logger = new PowertoolsLogger(options);
  let context: Readonly<Record<string, unknown>> = {};
  return {
    isDebug: options.logLevel === 'DEBUG',
    debug: (message, fields = {}) => logger.debug(message, fields),
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
    error: (message, fields = {}) => logger.error(message, fields),
    setContext(fields) {
      context = { ...fields };
      logger.resetKeys();
      logger.appendKeys({ ...fields });
    },
    // The logger's own `service` is the function; in metrics it is a dimension, so such a line says `function` beside it.
    write(message, document, level = 'info') {
      const line = {
        level: level.toUpperCase(),
        message,
        timestamp: new Date(document._aws.Timestamp).toISOString(),
        function: options.serviceName,
        ...context,
        ...document,
      };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    },
  };
}
