/** How long an idempotency key tells a repeated creation from a new one. */
export const IDEMPOTENCY_SECONDS = 24 * 60 * 60;

/** How long events are kept, and the revisions of a task that is gone. */
export const EVENT_RETENTION_SECONDS = 90 * 24 * 60 * 60;
