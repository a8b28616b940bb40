import { describe, expect, it } from '@jest/globals';
import { errorOfIot } from '../../../../lib/adapters/aws-iot/errors.ts';

const fault = (name: string, message = 'text', httpStatusCode?: number) =>
  Object.assign(new Error(message), { name, ...(httpStatusCode && { $metadata: { httpStatusCode } }) });

describe('errorOfIot', () => {
  it.each([
    [fault('ConflictingResourceUpdateException'), 'RULE_CONFLICT', 'not-yet'],
    [fault('SqlParseException'), 'RULE_SQL_REFUSED', 'failed'],
    [
      fault('InvalidRequestException', 'iot.amazonaws.com is unable to assume role'),
      'RULE_ROLE_NOT_READY',
      'not-yet',
    ],
    [fault('LimitExceededException'), 'RULE_QUOTA_REACHED', 'failed'],
    [fault('InvalidRequestException', 'Rule limit exceeded'), 'RULE_QUOTA_REACHED', 'failed'],
    [
      Object.assign(new Error('getaddrinfo ENOTFOUND iot.eu-wst-1.amazonaws.com'), { code: 'ENOTFOUND' }),
      'REGION_UNKNOWN',
      'failed',
    ],
    [fault('UnrecognizedClientException', 'The security token is invalid', 403), 'REGION_UNKNOWN', 'failed'],
    [fault('ServiceUnavailableException', 'later', 503), 'CLOUD_UNAVAILABLE', 'not-yet'],
    [fault('InvalidRequestException', 'bad'), 'CLOUD_REFUSED', 'failed'],
  ])('reads %p as %s: %s', (error, code, reaction) => {
    expect(errorOfIot(error, 'x')).toMatchObject({ code, reaction });
  });
});
