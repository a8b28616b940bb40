import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { ShiftKind, ShiftStarter } from '../../ports/shifts.ts';
import { errorOfLambda } from './errors.ts';

const REQUEST_TIMEOUT_MS = 5_000;

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
  return {
    async start(kind) {
      const FunctionName = functionNames[kind];
      try {
        await lambda.send(
          new InvokeCommand({
            FunctionName,
            InvocationType: 'Event',
            Payload: Buffer.from(JSON.stringify({ source: 'converge' })),
          }),
          { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
        );
      } catch (error) {
        throw errorOfLambda(error, `starting ${FunctionName}`);
      }
    },
  };
}
