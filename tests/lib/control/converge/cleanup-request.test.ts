import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHandleCleanupRequest } from '../../../../lib/control/converge/cleanup-request.ts';
import type { CleanupResult, CleanupStack } from '../../../../lib/control/converge/cleanup-stack.ts';
import type { Clock } from '../../../../lib/ports/clock.ts';
import type { Continuation } from '../../../../lib/ports/continuation.ts';
import type { CustomResourceReply } from '../../../../lib/ports/custom-resource.ts';
import { silentLogger } from '../../../helpers/converge-world.ts';

const event = (RequestType: string, more: Record<string, unknown> = {}) => ({
  RequestType,
  ResponseURL: 'https://cloudformation.example/answer?signature=x',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'RuntimeResources',
  ResourceProperties: { ServiceToken: 'arn' },
  ...more,
});

const PAUSE_MS = 10_000;

const cleanup = jest.fn<CleanupStack>();
const send = jest.fn<CustomResourceReply['send']>();
const continueWith = jest.fn<Continuation['continueWith']>();
/** Time passes as soon as somebody waits for it. */
let clock: Pick<Clock, 'now' | 'sleep'>;
beforeEach(() => {
  let nowMs = 0;
  clock = {
    now: () => nowMs,
    async sleep(ms) {
      nowMs += ms;
    },
  };
  for (const mock of [cleanup, send, continueWith]) mock.mockReset();
});
const answers = () => send.mock.calls.map(([, answer]) => answer);

function handle(input: unknown, result?: CleanupResult | Error): Promise<void> {
  if (result instanceof Error) cleanup.mockRejectedValue(result);
  else if (result !== undefined) cleanup.mockResolvedValue(result);
  return createHandleCleanupRequest({
    cleanup,
    reply: { send },
    continuation: { continueWith },
    clock,
    logger: silentLogger,
  })(input, { deadlineMs: 900_000 });
}

describe('createHandleCleanupRequest', () => {
  it.each(['Create', 'Update'])('answers %s and does nothing', async (type) => {
    await handle(event(type));
    expect(cleanup).not.toHaveBeenCalled();
    expect(send.mock.calls).toEqual([
      [
        {
          responseUrl: 'https://cloudformation.example/answer?signature=x',
          stackId: 'stack',
          requestId: 'request',
          logicalResourceId: 'RuntimeResources',
        },
        { status: 'SUCCESS' },
      ],
    ]);
  });

  it('cleans up on Delete, until a minute before its end', async () => {
    await handle(event('Delete'), { outcome: 'clean' });
    expect(cleanup).toHaveBeenCalledWith({ owner: 'clean-up request', deadlineMs: 840_000 });
    expect(answers()).toEqual([{ status: 'SUCCESS' }]);
  });

  it('goes on in another invocation when its time is up, and answers nothing yet', async () => {
    await handle(event('Delete'), { outcome: 'continue', left: ['queue a'] });
    expect(answers()).toEqual([]);
    expect(continueWith).toHaveBeenCalledWith(
      expect.objectContaining({ RequestType: 'Delete', invocation: 2 }),
    );
    await handle(continueWith.mock.calls[0]?.[0], { outcome: 'clean' });
    expect(answers()).toEqual([{ status: 'SUCCESS' }]);
  });

  it('fails with what is left after four invocations', async () => {
    await handle(event('Delete', { invocation: 4 }), { outcome: 'continue', left: ['queue a', 'queue b'] });
    expect(continueWith).not.toHaveBeenCalled();
    expect(answers()).toEqual([{ status: 'FAILED', reason: 'still there: queue a, queue b' }]);
  });

  it('fails with what it may not delete', async () => {
    await handle(event('Delete'), { outcome: 'failed', left: ['queue a (CLOUD_ACCESS_DENIED)'] });
    expect(answers()).toEqual([{ status: 'FAILED', reason: 'still there: queue a (CLOUD_ACCESS_DENIED)' }]);
  });

  it('tries again for a while when the table or a list did not answer', async () => {
    cleanup.mockRejectedValueOnce(new Error('TimeoutError')).mockResolvedValueOnce({ outcome: 'clean' });
    await handle(event('Delete'));
    expect(clock.now()).toBe(PAUSE_MS);
    expect(answers()).toEqual([{ status: 'SUCCESS' }]);
  });

  it('answers when the clean-up breaks, or cannot go on', async () => {
    await handle(event('Delete'), new TypeError('broken'));
    continueWith.mockRejectedValue(new Error('not allowed'));
    await handle(event('Delete'), { outcome: 'continue', left: [] });
    expect(answers()).toEqual([
      { status: 'FAILED', reason: 'TypeError: broken' },
      { status: 'FAILED', reason: 'Error: not allowed' },
    ]);
  });

  it('takes no event that is not CloudFormation’s', async () => {
    await expect(handle({ RequestType: 'Delete' })).rejects.toThrow('ResponseURL');
    await expect(handle(event('Delete', { invocation: 5 }))).rejects.toThrow('invocation');
    expect(cleanup).not.toHaveBeenCalled();
  });
});
