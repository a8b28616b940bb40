import type { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';

/** What a control plane's limits tell apart. */
export type CallKind = 'read' | 'write' | 'list';

/** Waits until a call of this kind may be made; throws `ControlPlaneError` `not-yet` when that would take long. */
export type Pace = (kind: CallKind) => Promise<void>;

/** For both attempts of the SDK together. */
const CALL_TIMEOUT_MS = 8_000;

/**
 * One call of an AWS control plane: within its rate limit, with a timeout, its refusals as `ControlPlaneError`.
 *
 * @param toError - the system's `errors.ts`
 */
export async function controlPlaneCall<T>(
  pace: (() => Promise<void>) | undefined,
  send: (options: { abortSignal: AbortSignal }) => Promise<T>,
  toError: (error: unknown) => ControlPlaneError,
): Promise<T> {
  await pace?.();
  try {
    return await send({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  } catch (error) {
    throw toError(error);
  }
}
