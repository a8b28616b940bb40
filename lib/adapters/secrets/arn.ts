import { BrokerHoldError } from '../../domain/errors/errors.ts';

/** Where a secret is kept, as its ARN says. */
export interface SecretAddress {
  service: 'secretsmanager' | 'ssm';
  region: string;
  arn: string;
}

const SECRET_ARN = /^arn:aws[a-z-]*:(secretsmanager|ssm):([a-z0-9-]+):\d{12}:/;

/** Throws `BrokerHoldError` (`SECRET_INVALID`) when the reference is not an ARN of a secret or of a parameter. */
export function parseSecretArn(secretRef: string): SecretAddress {
  const [, service, region] = SECRET_ARN.exec(secretRef) ?? [];
  if ((service === 'secretsmanager' || service === 'ssm') && region !== undefined) {
    return { service, region, arn: secretRef };
  }
  throw new BrokerHoldError('the secret reference is not an ARN', {
    code: 'SECRET_INVALID',
    scope: 'cluster',
    hint: 'Name an ARN of a Secrets Manager secret or of an SSM parameter.',
  });
}
