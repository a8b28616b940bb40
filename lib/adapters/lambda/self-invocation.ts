import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Continuation } from '../../ports/continuation.ts';

const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Invokes the function itself. Lambda stops a chain of about 16: whoever uses this has to count.
 *
 * @param functionName - the function's own, from its context
 */
export function createSelfInvocation({
  lambda,
  functionName,
}: {
  lambda: Pick<LambdaClient, 'send'>;
  functionName: string;
}): Continuation {
  return {
    async continueWith(event) {
      await lambda.send(
        new InvokeCommand({
          FunctionName: functionName,
          InvocationType: 'Event',
          Payload: Buffer.from(JSON.stringify(event)),
        }),
        { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
      );
    },
  };
}
