import type { Clock } from '../../ports/clock.ts';
import type { CustomResourceReply } from '../../ports/custom-resource.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 4;
const FIRST_WAIT_MS = 1_000;
/** CloudFormation takes an answer of at most 4,096 bytes in all. */
const MAX_REASON = 2_000;
/** Constant: another one would have CloudFormation delete the old resource, which is to clean up everything. */
const PHYSICAL_RESOURCE_ID = 'mqferry-runtime-resources';

/** Answers by a PUT to the presigned URL of the request. Throws when that fails again and again. */
export function createCustomResourceReply({
  clock,
  request = fetch,
}: {
  clock: Pick<Clock, 'sleep'>;
  request?: typeof fetch;
}): CustomResourceReply {
  async function put(url: string, body: string): Promise<void> {
    // The signature covers an empty content type.
    const headers = { 'content-type': '' };
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const answer = await request(url, { method: 'PUT', body, headers, signal });
    if (!answer.ok) throw new Error(`answering CloudFormation: status ${answer.status}`);
  }

  return {
    async send({ responseUrl, stackId, requestId, logicalResourceId }, { status, reason }) {
      const body = JSON.stringify({
        Status: status,
        Reason: (reason ?? 'nothing is left').slice(0, MAX_REASON),
        PhysicalResourceId: PHYSICAL_RESOURCE_ID,
        StackId: stackId,
        RequestId: requestId,
        LogicalResourceId: logicalResourceId,
      });
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await put(responseUrl, body);
        } catch (error) {
          if (attempt === MAX_ATTEMPTS) throw error;
          await clock.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
        }
      }
    },
  };
}
