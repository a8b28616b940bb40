import { z } from 'zod';
import type { Clock } from '../../ports/clock.ts';
import type { Continuation } from '../../ports/continuation.ts';
import type { CustomResourceReply, CustomResourceRequest } from '../../ports/custom-resource.ts';
import type { Logger } from '../../ports/logger.ts';
import type { CleanupResult, CleanupStack } from './cleanup-stack.ts';

/** CloudFormation waits an hour: four invocations of 15 minutes. */
const MAX_INVOCATIONS = 4;
/** With less time than this left, another invocation goes on. */
const RESERVE_MS = 60_000;
/** In one invocation: two minutes of an outage. */
const MAX_TRIES = 12;
const PAUSE_MS = 10_000;

/** The event of a custom resource, as far as we read it, and the number of the invocation that goes on with it. */
const CleanupEvent = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  invocation: z.int().min(1).max(MAX_INVOCATIONS).default(1),
});

export type HandleCleanupRequest = (event: unknown, run: { deadlineMs: number }) => Promise<void>;

/**
 * The custom resource: does nothing but on Delete, and then cleans up until nothing is left, over several invocations if it
 * must. Whatever happens, CloudFormation gets an answer: without one it would wait an hour.
 */
export function createHandleCleanupRequest({
  cleanup,
  reply,
  continuation,
  clock,
  logger,
}: {
  cleanup: CleanupStack;
  reply: CustomResourceReply;
  continuation: Continuation;
  clock: Pick<Clock, 'now' | 'sleep'>;
  logger: Logger;
}): HandleCleanupRequest {
  /** A table that does not answer for a moment must not fail the deletion of a stack. */
  async function patiently(work: Parameters<CleanupStack>[0]): Promise<CleanupResult> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await cleanup(work);
      } catch (error) {
        logger.warn('the clean-up broke off', { tries, error });
        if (tries === MAX_TRIES || clock.now() + PAUSE_MS > work.deadlineMs) throw error;
        await clock.sleep(PAUSE_MS);
      }
    }
  }

  async function clean(
    event: z.infer<typeof CleanupEvent>,
    request: CustomResourceRequest,
    deadlineMs: number,
  ): Promise<void> {
    // The same owner in each invocation: leases that one has taken serve the next.
    const result = await patiently({
      owner: `clean-up ${event.RequestId}`,
      deadlineMs: deadlineMs - RESERVE_MS,
    });
    if (result.outcome === 'clean') return reply.send(request, { status: 'SUCCESS' });
    if (result.outcome === 'continue' && event.invocation < MAX_INVOCATIONS) {
      logger.info('the clean-up goes on', { invocation: event.invocation, left: result.left.length });
      return continuation.continueWith({ ...event, invocation: event.invocation + 1 });
    }
    return reply.send(request, { status: 'FAILED', reason: `still there: ${result.left.join(', ')}` });
  }

  return async (input, { deadlineMs }) => {
    const event = CleanupEvent.parse(input);
    const request: CustomResourceRequest = {
      responseUrl: event.ResponseURL,
      stackId: event.StackId,
      requestId: event.RequestId,
      logicalResourceId: event.LogicalResourceId,
    };
    if (event.RequestType !== 'Delete') return reply.send(request, { status: 'SUCCESS' });
    try {
      await clean(event, request, deadlineMs);
    } catch (error) {
      logger.error('the clean-up did not finish', { error });
      const text = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown error';
      await reply.send(request, { status: 'FAILED', reason: text });
    }
  };
}
