import { describe, expect, it } from '@jest/globals';
import { AWS_IOT_ERRORS } from '../../../../lib/domain/errors/aws-iot-error-table.ts';
import { errorOfRow, errorRow } from '../../../../lib/domain/errors/error-table.ts';

/** names, reaction, scope, code, may be stored */
const EXPECTATIONS: [readonly string[], string, string, string, boolean][] = [
  [['ThrottlingException', 'TooManyRequestsException'], 'throttle', 'cluster', 'TARGET_THROTTLED', false],
  [
    ['ForbiddenException', 'UnauthorizedException', 'AccessDeniedException'],
    'hold',
    'topic',
    'ACCESS_DENIED',
    false,
  ],
  [
    ['UnrecognizedClientException', 'InvalidSignatureException', 'CredentialsProviderError'],
    'hold',
    'cluster',
    'CREDENTIALS_REFUSED',
    false,
  ],
  [
    ['InvalidRequestException', 'UnsupportedDocumentEncodingException'],
    'dead-letter',
    'message',
    'MESSAGE_INVALID',
    false,
  ],
  [['RequestEntityTooLargeException'], 'dead-letter', 'message', 'PAYLOAD_TOO_LARGE', false],
  [['ExpiredTokenException'], 'retry', 'cluster', 'TARGET_UNAVAILABLE', false],
  [['InternalFailureException'], 'retry', 'cluster', 'TARGET_ERROR', true],
  [['ServiceUnavailableException', 'ECONNRESET', 'EPIPE'], 'retry', 'cluster', 'TARGET_UNAVAILABLE', true],
  [['GatewayTimeoutException', 'TimeoutError', 'AbortError'], 'retry', 'cluster', 'TARGET_TIMEOUT', true],
  [
    ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'],
    'retry',
    'cluster',
    'TARGET_UNREACHABLE',
    false,
  ],
];

describe('AWS_IOT_ERRORS', () => {
  it.each(EXPECTATIONS)('%j → %s of the %s, %s', (names, reaction, scope, code, maybeStored) => {
    for (const name of names) {
      const row = errorRow(AWS_IOT_ERRORS, name, '');
      expect(row.maybeStored ?? false).toBe(maybeStored);
      expect(errorOfRow(row, 'said')).toMatchObject({ reaction, scope, code });
    }
  });

  it('has an expectation for each row, and each name once', () => {
    expect(AWS_IOT_ERRORS.map(({ status }) => status).sort()).toEqual(
      EXPECTATIONS.flatMap(([names]) => names).sort(),
    );
  });

  it('gives every hold a hint', () => {
    expect(AWS_IOT_ERRORS.filter((row) => row.leaf === 'hold' && row.hint === undefined)).toEqual([]);
  });
});
