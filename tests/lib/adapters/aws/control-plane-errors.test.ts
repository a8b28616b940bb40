import { describe, expect, it } from '@jest/globals';
import { controlPlaneErrorOf, isAway } from '../../../../lib/adapters/aws/control-plane-errors.ts';
import { ControlPlaneError } from '../../../../lib/domain/errors/control-plane-error.ts';

const fault = (name: string, message = 'text', httpStatusCode?: number) =>
  Object.assign(new Error(message), { name, ...(httpStatusCode && { $metadata: { httpStatusCode } }) });

describe('controlPlaneErrorOf', () => {
  it.each([
    [fault('ThrottlingException'), 'CLOUD_THROTTLED', 'not-yet'],
    [fault('Anything', 'text', 429), 'CLOUD_THROTTLED', 'not-yet'],
    [fault('InternalFailure', 'text', 500), 'CLOUD_UNAVAILABLE', 'not-yet'],
    [fault('TimeoutError'), 'CLOUD_UNAVAILABLE', 'not-yet'],
    [fault('AbortError'), 'CLOUD_UNAVAILABLE', 'not-yet'],
    [Object.assign(new Error('reset'), { code: 'ECONNRESET' }), 'CLOUD_UNAVAILABLE', 'not-yet'],
    [fault('AccessDeniedException', 'no', 403), 'CLOUD_ACCESS_DENIED', 'failed'],
    [fault('UnauthorizedException'), 'CLOUD_ACCESS_DENIED', 'failed'],
    [fault('ValidationException', 'bad', 400), 'CLOUD_REFUSED', 'failed'],
    ['a string', 'CLOUD_REFUSED', 'failed'],
  ])('reads %p as %s: %s', (error, code, reaction) => {
    const read = controlPlaneErrorOf(error, 'creating x');
    expect(read).toMatchObject({ code, reaction, cause: error });
    expect(read.message).toMatch(/^creating x: /);
  });

  it('leaves an error alone that is one already', () => {
    const error = new ControlPlaneError('later', { code: 'X', reaction: 'not-yet' });
    expect(controlPlaneErrorOf(error, 'creating x')).toBe(error);
  });
});

describe('isAway', () => {
  it.each([
    fault('ProvisionedThroughputExceededException', 'text', 400),
    fault('InternalServerError', 'text', 500),
    ...['ECONNREFUSED', 'ENOTFOUND'].map((code) => Object.assign(new Error('no connection'), { code })),
  ])('is true of %p', (error) => expect(isAway(error)).toBe(true));

  it.each([fault('ValidationException', 'bad', 400), fault('AccessDeniedException', 'no', 403), 'a string'])(
    'is false of %p',
    (error) => expect(isAway(error)).toBe(false),
  );
});
