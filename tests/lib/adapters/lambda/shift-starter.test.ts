import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from '@jest/globals';
import { createLambdaShiftStarter } from '../../../../lib/adapters/lambda/shift-starter.ts';

const functionNames = { pull: 'rocketmq-to-mqtt', session: 'mqtt-session' };

describe('createLambdaShiftStarter', () => {
  it.each(['pull', 'session'] as const)('invokes the function of %s shifts asynchronously', async (kind) => {
    const inputs: InvokeCommand['input'][] = [];
    const send = async (command: InvokeCommand) => void inputs.push(command.input);
    const lambda = { send } as unknown as LambdaClient;
    await createLambdaShiftStarter({ lambda, functionNames }).start(kind);
    expect(inputs).toMatchObject([{ FunctionName: functionNames[kind], InvocationType: 'Event' }]);
    expect(String(inputs[0]?.Payload)).toBe('{"source":"converge"}');
  });

  it('says as an error of the control plane what Lambda refused', async () => {
    const refusal = Object.assign(new Error('Rate exceeded'), { name: 'TooManyRequestsException' });
    const lambda = { send: () => Promise.reject(refusal) } as unknown as LambdaClient;
    await expect(createLambdaShiftStarter({ lambda, functionNames }).start('pull')).rejects.toMatchObject({
      name: 'ControlPlaneError',
      reaction: 'not-yet',
    });
  });
});
