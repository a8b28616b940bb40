import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { remotingCall } from '../../../../lib/adapters/rocketmq-admin/remoting-call.ts';
import { createFakeRemoting, type FakeAnswer } from '../../../helpers/fake-remoting-server.ts';

const remoting = createFakeRemoting();
afterEach(() => remoting.close());

const frameOf = (length: number, headerLength: number, rest: string) => {
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(length, 0);
  lengths.writeInt32BE(headerLength, 4);
  return Buffer.concat([lengths, Buffer.from(rest)]);
};

describe('remotingCall', () => {
  it('sends code, fields and body, and gives the answer', async () => {
    const address = await remoting.start(({ code, extFields, body }) => ({
      code: 0,
      remark: `${code} ${extFields.topic}`,
      body,
    }));
    const request = { code: 17, fields: { topic: 't' }, body: Buffer.from('bytes') };
    const answer = await remotingCall(address, request);
    expect(answer).toMatchObject({ code: 0, remark: '17 t' });
    expect(answer.body.toString()).toBe('bytes');
  });

  it('signs the fields in the order of their names, then the body', async () => {
    const address = await remoting.start(({ extFields }) => ({ code: 0, body: JSON.stringify(extFields) }));
    const { body } = await remotingCall(
      address,
      { code: 1, fields: { zone: 'z', alpha: 'a' }, body: Buffer.from('payload') },
      { credentials: { accessKey: 'user', secretKey: 'secret', securityToken: 'token' } },
    );
    const expected = createHmac('sha1', 'secret').update('usertokenazpayload').digest('base64');
    expect(JSON.parse(body.toString())).toEqual({
      zone: 'z',
      alpha: 'a',
      AccessKey: 'user',
      SecurityToken: 'token',
      Signature: expected,
    });
  });

  it('answers a refusal as it is', async () => {
    const address = await remoting.start(() => ({ code: 17, remark: 'no such topic' }));
    expect(await remotingCall(address, { code: 1 })).toMatchObject({ code: 17, remark: 'no such topic' });
  });

  it('fails when the other side hangs up', async () => {
    const address = await remoting.start(() => 'hang up');
    await expect(remotingCall(address, { code: 1 })).rejects.toMatchObject({
      code: 'ADMIN_UNREACHABLE',
      reaction: 'retry',
      maybeStored: true,
      message: expect.stringContaining(address),
    });
  });

  it('fails when nobody listens', async () => {
    const address = await remoting.start(() => ({ code: 0 }));
    remoting.close();
    await expect(remotingCall(address, { code: 1 })).rejects.toMatchObject({
      code: 'ADMIN_UNREACHABLE',
      maybeStored: false,
      message: `calling RocketMQ at ${address}: ECONNREFUSED`,
    });
  });

  it.each<{ what: string; answer: FakeAnswer }>([
    { what: 'does not answer', answer: 'say nothing' },
    { what: 'stops in the middle', answer: { raw: frameOf(100, 20, '{"code"') } },
  ])('fails in time when the other side $what', async ({ answer }) => {
    const address = await remoting.start(() => answer);
    await expect(remotingCall(address, { code: 1 }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'ADMIN_TIMEOUT',
      reaction: 'retry',
    });
  });

  it.each([
    { what: 'HTTP', raw: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') },
    { what: 'a frame of more than 16 MiB', raw: frameOf(16 * 1024 * 1024 + 1, 10, '') },
    { what: 'a frame of a negative length', raw: frameOf(-1, 10, '') },
    { what: 'a header that is longer than its frame', raw: frameOf(12, 1_000, '{"code":0}') },
    { what: 'a header that is no JSON', raw: frameOf(8, 4, 'code') },
    { what: 'a header without a code', raw: frameOf(6, 2, '{}') },
  ])('does not believe $what', async ({ raw }) => {
    const address = await remoting.start(() => ({ raw }));
    await expect(remotingCall(address, { code: 1 })).rejects.toMatchObject({
      code: 'ADMIN_ADDRESS_INVALID',
      reaction: 'hold',
      scope: 'cluster',
    });
  });

  it('does not throw beside its promise for a port that there is not', async () => {
    await expect(remotingCall('127.0.0.1:99999', { code: 1 })).rejects.toMatchObject({
      code: 'ADMIN_UNREACHABLE',
    });
  });
});
