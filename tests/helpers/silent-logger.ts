import type { InvocationLogger } from '../../lib/ports/logger.ts';

const silent = () => undefined;

/** For tests that look at answers, not at logs. */
export const silentLogger: InvocationLogger = {
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  setContext: silent,
};
