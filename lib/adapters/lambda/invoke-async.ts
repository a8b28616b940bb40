import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { errorOfLambda } from './errors.ts';

const REQUEST_TIMEOUT_MS = 5_000;

/** Has Lambda run a function with this event, and does not wait for it. Throws `ControlPlaneError`. */
export async function invokeAsync(
  lambda: Pick<LambdaClient, 'send'>,
  functionName: string,
  event: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await lambda.send(
      new InvokeCommand({
        FunctionName: functionName,
        InvocationType: 'Event',
        Payload: Buffer.from(JSON.stringify(event)),
      }),
      { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
    );
  } catch (error) {
    throw errorOfLambda(error, `starting ${functionName}`);
  }
}
