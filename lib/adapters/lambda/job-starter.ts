import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { JobStarter } from '../../ports/job-starter.ts';
import { invokeAsync } from './invoke-async.ts';

/** Invokes the function that works on jobs asynchronously, for one task. Throws `ControlPlaneError`. */
export function createLambdaJobStarter({
  lambda,
  functionName,
}: {
  lambda: Pick<LambdaClient, 'send'>;
  functionName: string;
}): JobStarter {
  return { start: (taskId) => invokeAsync(lambda, functionName, { source: 'api', taskId }) };
}
