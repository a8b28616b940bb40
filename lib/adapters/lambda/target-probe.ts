import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Logger } from '../../ports/logger.ts';
import type { TargetAnswer, TargetProbe } from '../../ports/target-probe.ts';

/** The probe answers within 4 s, a cold start and reading the table aside. */
const ANSWER_MS = 10_000;
const ANSWERS: readonly unknown[] = ['answers', 'away'] satisfies TargetAnswer[];

/** Has the probe ask, since nobody else of the control plane has a way to brokers, and waits for what it says. */
export function createLambdaTargetProbe({
  lambda,
  functionName,
  logger,
}: {
  lambda: Pick<LambdaClient, 'send'>;
  functionName: string;
  logger: Logger;
}): TargetProbe {
  return {
    async ask(taskId) {
      const command = new InvokeCommand({
        FunctionName: functionName,
        InvocationType: 'RequestResponse',
        Payload: Buffer.from(JSON.stringify({ source: 'converge', taskId })),
      });
      try {
        const { FunctionError, Payload } = await lambda.send(command, {
          abortSignal: AbortSignal.timeout(ANSWER_MS),
        });
        return FunctionError === undefined ? read(Payload) : 'unknown';
      } catch (error) {
        // Refused, throttled or too slow, it tells nothing of the target, and is no reason to touch the task.
        logger.warn('the probe could not be asked', { taskId, error });
        return 'unknown';
      }
    },
  };
}

function read(payload: Uint8Array | undefined): TargetAnswer {
  try {
    const answer: unknown = JSON.parse(Buffer.from(payload ?? []).toString());
    return ANSWERS.includes(answer) ? (answer as TargetAnswer) : 'unknown';
  } catch {
    // No JSON is no answer.
    return 'unknown';
  }
}
