import type { LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from '@jest/globals';
import { createLambdaAccountLimits } from '../../../../lib/adapters/lambda/account-limits.ts';

describe('createLambdaAccountLimits', () => {
  const limitsOf = (AccountLimit: object | undefined) =>
    createLambdaAccountLimits({
      lambda: { send: async () => ({ AccountLimit }) } as unknown as LambdaClient,
      pace: async () => undefined,
    });

  it('answers what no function has reserved', async () => {
    expect(await limitsOf({ UnreservedConcurrentExecutions: 0 }).unreservedConcurrency()).toBe(0);
  });

  it('does not guess', async () => {
    await expect(limitsOf(undefined).unreservedConcurrency()).rejects.toMatchObject({
      code: 'ACCOUNT_UNCLEAR',
    });
  });
});
