import { BridgeError, BrokerHoldError, BrokerUnavailableError } from '../../domain/errors/errors.ts';

const NOT_FOUND: ReadonlySet<string> = new Set([
  'ResourceNotFoundException',
  'ParameterNotFound',
  'ParameterVersionNotFound',
  // Secrets Manager: the secret is marked for deletion.
  'InvalidRequestException',
]);
const DENIED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'DecryptionFailure',
  'InvalidKeyId',
  'KMSAccessDeniedException',
  'UnrecognizedClientException',
]);

/** What Secrets Manager or SSM said, as our error. Names the ARN; the SDK's errors hold no value. */
export function errorOfSecretStore(cause: unknown, arn: string): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const name = cause instanceof Error ? cause.name : '';
  if (NOT_FOUND.has(name)) {
    return new BrokerHoldError(`reading the secret ${arn}: it does not exist`, {
      code: 'SECRET_NOT_FOUND',
      scope: 'cluster',
      cause,
      hint: 'Create the secret, or correct "secretRef" of the cluster.',
    });
  }
  if (DENIED.has(name)) {
    return new BrokerHoldError(`reading the secret ${arn}: access is denied`, {
      code: 'SECRET_ACCESS_DENIED',
      scope: 'cluster',
      cause,
      hint: 'Allow the role of the function to read the secret, and to use the KMS key it is encrypted with.',
    });
  }
  return new BrokerUnavailableError(`reading the secret ${arn}: no answer`, {
    code: 'SECRET_UNAVAILABLE',
    cause,
  });
}

/** Never quotes the value, nor an error of the JSON parser, which would. */
export function invalidSecret(arn: string, fault: string): BridgeError {
  return new BrokerHoldError(`reading the secret ${arn}: ${fault}`, {
    code: 'SECRET_INVALID',
    scope: 'cluster',
    hint: 'The secret must be a JSON object whose members are all strings.',
  });
}
