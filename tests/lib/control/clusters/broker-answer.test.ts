import { describe, expect, it } from '@jest/globals';
import { brokerAnswer } from '../../../../lib/control/clusters/broker-answer.ts';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
  RequestError,
} from '../../../../lib/domain/errors/errors.ts';

const held = (code: string) => new BrokerHoldError('refused', { code, scope: 'cluster', hint: 'Do this.' });

describe('brokerAnswer', () => {
  it('hands on what the broker answers', async () => {
    expect(await brokerAnswer(Promise.resolve(7))).toBe(7);
  });

  it.each([
    { error: held('TOPIC_NOT_FOUND'), status: 409 },
    { error: held('GROUP_NOT_FOUND'), status: 409 },
    { error: held('TOPIC_EXISTS'), status: 409 },
    { error: held('ACCESS_DENIED'), status: 502 },
    { error: held('SECRET_NOT_FOUND'), status: 502 },
    { error: new BrokerUnavailableError('gone', { code: 'ADMIN_UNREACHABLE' }), status: 502 },
    { error: new BrokerUnavailableError('late', { code: 'ADMIN_TIMEOUT' }), status: 504 },
    { error: new BrokerThrottledError('busy', { waitMs: 1_000 }), status: 503 },
  ])('makes a problem of $error.code, with status $status', async ({ error, status }) => {
    const refusal = await brokerAnswer(Promise.reject(error)).catch((thrown: unknown) => thrown);
    expect(refusal).toBeInstanceOf(RequestError);
    const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
    expect(refusal).toMatchObject({ status, code: error.code, message });
  });

  it('leaves alone what is no answer of a broker', async () => {
    const ours = new TypeError('ours');
    await expect(brokerAnswer(Promise.reject(ours))).rejects.toBe(ours);
  });
});
