import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from '@jest/globals';
import { createSelfInvocation } from '../../../../lib/adapters/lambda/self-invocation.ts';

describe('createSelfInvocation', () => {
  it('invokes the function asynchronously with the event', async () => {
    const inputs: InvokeCommand['input'][] = [];
    const send = async (command: InvokeCommand) => {
      inputs.push(command.input);
      return {};
    };
    const lambda = { send } as unknown as LambdaClient;
    await createSelfInvocation({ lambda, functionName: 'me' }).continueWith({ invocation: 2 });
    expect(inputs).toMatchObject([{ FunctionName: 'me', InvocationType: 'Event' }]);
    expect(String(inputs[0]?.Payload)).toBe('{"invocation":2}');
  });
});
