/**
 * Something the person at the keyboard can put right. The message is complete: what happened and the remedy; the entry
 * points print it without a stack trace.
 */
export class LocalStackError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocalStackError';
    this.code = code;
  }
}

/** The start was interrupted (Ctrl-C, SIGTERM); nothing went wrong. */
export class InterruptedError extends LocalStackError {
  constructor() {
    super('INTERRUPTED', 'Interrupted.');
    this.name = 'InterruptedError';
  }
}
