/**
 * What a cloud's control plane answered instead of doing what converge asked.
 * - `not-yet`: transient state, propagation, throttling: come again after `waitMs`.
 * - `failed`: no repetition helps until a person changes something (quota, permission, refused specification).
 */
export class ControlPlaneError extends Error {
  override readonly name = 'ControlPlaneError';
  readonly code: string;
  readonly reaction: 'not-yet' | 'failed';
  readonly waitMs: number;
  readonly hint: string | undefined;

  constructor(
    message: string,
    options: ErrorOptions & { code: string; reaction: 'not-yet' | 'failed'; waitMs?: number; hint?: string },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.reaction = options.reaction;
    this.waitMs = options.waitMs ?? 2_000;
    this.hint = options.hint;
  }
}

/** The lease of a task is no longer ours, or what was wanted changed: whoever holds it goes on. */
export const leaseLost = (taskId: string): ControlPlaneError =>
  new ControlPlaneError(`the lease of task ${taskId} is no longer ours`, {
    code: 'LEASE_LOST',
    reaction: 'not-yet',
  });

/** Code of what is asked of a region that does not exist, or that the account has not enabled. */
export const REGION_UNKNOWN = 'REGION_UNKNOWN';

/** What can hold nothing of ours, since nothing could be made there: `otherwise`, instead of the error. */
export async function inKnownRegion<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ControlPlaneError && error.code === REGION_UNKNOWN) return otherwise;
    throw error;
  }
}
