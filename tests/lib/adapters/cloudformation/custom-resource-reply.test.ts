import { describe, expect, it, jest } from '@jest/globals';
import { createCustomResourceReply } from '../../../../lib/adapters/cloudformation/custom-resource-reply.ts';
import { createJumpingClock } from '../../../helpers/converge-world.ts';

const request = {
  responseUrl: 'https://cfn.example/x?y',
  stackId: 's',
  requestId: 'r',
  logicalResourceId: 'l',
};
const answerOf = (status: number) => new Response(null, { status });

describe('createCustomResourceReply', () => {
  it('puts the answer, with a constant physical id and no content type', async () => {
    const put = jest.fn<typeof fetch>().mockResolvedValue(answerOf(200));
    await createCustomResourceReply({ clock: createJumpingClock(), request: put }).send(request, {
      status: 'FAILED',
      reason: 'x'.repeat(10_000),
    });
    const [url, init] = put.mock.calls[0] ?? [];
    expect(url).toBe(request.responseUrl);
    expect(init).toMatchObject({
      method: 'PUT',
      headers: { 'content-type': '' },
      signal: expect.any(AbortSignal),
    });
    const body = String(init?.body);
    expect(Buffer.byteLength(body)).toBeLessThan(4_096);
    expect(JSON.parse(body)).toMatchObject({
      Status: 'FAILED',
      PhysicalResourceId: 'mqferry-runtime-resources',
      StackId: 's',
      RequestId: 'r',
      LogicalResourceId: 'l',
    });
  });

  it('tries again with growing waits, and gives up in the end', async () => {
    const clock = createJumpingClock(0);
    const put = jest
      .fn<typeof fetch>()
      .mockRejectedValueOnce(new Error('reset'))
      .mockResolvedValue(answerOf(503));
    const sent = createCustomResourceReply({ clock, request: put }).send(request, { status: 'SUCCESS' });
    await expect(sent).rejects.toThrow('status 503');
    expect(put).toHaveBeenCalledTimes(4);
    expect(clock.now()).toBe(7_000);
  });
});
