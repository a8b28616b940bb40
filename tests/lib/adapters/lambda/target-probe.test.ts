import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from '@jest/globals';
import { createLambdaTargetProbe } from '../../../../lib/adapters/lambda/target-probe.ts';
import { silentLogger } from '../../../helpers/silent-logger.ts';

function probe(send: (command: InvokeCommand) => Promise<unknown>) {
  const lambda = { send } as unknown as LambdaClient;
  return createLambdaTargetProbe({ lambda, functionName: 'probe', logger: silentLogger }).ask('task');
}
const saying = (text: string, more: object = {}) =>
  probe(async () => ({ Payload: Buffer.from(text), ...more }));

describe('createLambdaTargetProbe', () => {
  it('invokes the probe, and waits for its answer', async () => {
    const inputs: InvokeCommand['input'][] = [];
    const answer = await probe(async ({ input }) => {
      inputs.push(input);
      return { Payload: Buffer.from('"away"') };
    });
    expect(answer).toBe('away');
    expect(inputs).toMatchObject([{ FunctionName: 'probe', InvocationType: 'RequestResponse' }]);
    expect(String(inputs[0]?.Payload)).toBe('{"source":"converge","taskId":"task"}');
    expect(await saying('"answers"')).toBe('answers');
  });

  it.each(['"maybe"', 'null', '{"errorMessage":"x"}', 'no json', ''])(
    'knows nothing from %j',
    async (text) => {
      expect(await saying(text)).toBe('unknown');
    },
  );

  it('knows nothing from a probe that has failed', async () => {
    expect(await saying('"answers"', { FunctionError: 'Unhandled' })).toBe('unknown');
    expect(await probe(async () => ({}))).toBe('unknown');
  });

  it.each(['TooManyRequestsException', 'AccessDeniedException', 'AbortError'])(
    'knows nothing where the probe cannot be asked: %s',
    async (name) => {
      const refusal = Object.assign(new Error('refused'), { name });
      expect(await probe(() => Promise.reject(refusal))).toBe('unknown');
    },
  );
});
