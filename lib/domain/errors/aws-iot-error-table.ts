import { type ErrorRow, maybe, THROTTLED, UNREACHABLE } from './error-table.ts';

const ACCESS_DENIED = {
  leaf: 'hold',
  scope: 'topic',
  code: 'ACCESS_DENIED',
  hint: 'The role of the function needs iot:Publish, and iot:RetainPublish for retained messages, on the topic.',
} as const;
const CREDENTIALS_REFUSED = {
  leaf: 'hold',
  scope: 'cluster',
  code: 'CREDENTIALS_REFUSED',
  hint: 'Run with a role, or set valid AWS credentials in the environment; check the clock of the machine.',
} as const;
const INVALID = { leaf: 'invalid-message', code: 'MESSAGE_INVALID' } as const;

/** What the data plane of AWS IoT Core answers to `Publish`, by the name of the error; beside it those of the SDK and of Node. */
export const AWS_IOT_ERRORS: readonly ErrorRow[] = [
  { status: 'ThrottlingException', meaning: 'too many requests', ...THROTTLED },
  { status: 'TooManyRequestsException', meaning: 'too many requests', ...THROTTLED },
  { status: 'ForbiddenException', meaning: 'not allowed', ...ACCESS_DENIED },
  { status: 'UnauthorizedException', meaning: 'not allowed', ...ACCESS_DENIED },
  { status: 'AccessDeniedException', meaning: 'not allowed', ...ACCESS_DENIED },
  { status: 'UnrecognizedClientException', meaning: 'unknown credentials', ...CREDENTIALS_REFUSED },
  { status: 'InvalidSignatureException', meaning: 'the signature is wrong', ...CREDENTIALS_REFUSED },
  { status: 'CredentialsProviderError', meaning: 'there are no credentials', ...CREDENTIALS_REFUSED },
  { status: 'InvalidRequestException', meaning: 'invalid request', ...INVALID },
  { status: 'UnsupportedDocumentEncodingException', meaning: 'unsupported encoding', ...INVALID },
  {
    status: 'RequestEntityTooLargeException',
    meaning: 'the message is too large',
    leaf: 'too-large',
    code: 'PAYLOAD_TOO_LARGE',
  },
  // The SDK fetches new ones by itself.
  {
    status: 'ExpiredTokenException',
    meaning: 'the credentials have just expired',
    leaf: 'unavailable',
    code: 'TARGET_UNAVAILABLE',
  },
  { status: 'InternalFailureException', meaning: 'internal failure', ...maybe('TARGET_ERROR') },
  { status: 'ServiceUnavailableException', meaning: 'unavailable', ...maybe('TARGET_UNAVAILABLE') },
  { status: 'GatewayTimeoutException', meaning: 'gateway timeout', ...maybe('TARGET_TIMEOUT') },
  { status: 'TimeoutError', meaning: 'no answer in time', ...maybe('TARGET_TIMEOUT') },
  { status: 'AbortError', meaning: 'no answer in time', ...maybe('TARGET_TIMEOUT') },
  { status: 'ECONNRESET', meaning: 'the connection was reset', ...maybe('TARGET_UNAVAILABLE') },
  { status: 'EPIPE', meaning: 'the connection was closed', ...maybe('TARGET_UNAVAILABLE') },
  { status: 'ENOTFOUND', meaning: 'the host name cannot be resolved', ...UNREACHABLE },
  { status: 'EAI_AGAIN', meaning: 'the host name cannot be resolved now', ...UNREACHABLE },
  { status: 'ECONNREFUSED', meaning: 'nobody listens on the port', ...UNREACHABLE },
  { status: 'EHOSTUNREACH', meaning: 'the host cannot be reached', ...UNREACHABLE },
  { status: 'ENETUNREACH', meaning: 'the network cannot be reached', ...UNREACHABLE },
];
