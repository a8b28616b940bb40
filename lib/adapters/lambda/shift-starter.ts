import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { ShiftKind, ShiftStarter } from '../../ports/shifts.ts';
import { invokeAsync } from './invoke-async.ts';

/**
 * Invokes the function of a kind of shift asynchronously, as its schedule does: whether there is a place for one more is
 * for the shift itself to find out. Throws `ControlPlaneError`.
 */
export function createLambdaShiftStarter({
  lambda,
  functionNames,
}: {
  lambda: Pick<LambdaClient, 'send'>;
  functionNames: Readonly<Record<ShiftKind, string>>;
}): ShiftStarter {
  return { start: (kind) => invokeAsync(lambda, functionNames[kind], { source: 'converge' }) };
}
