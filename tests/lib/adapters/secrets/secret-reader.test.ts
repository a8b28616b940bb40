import {
  DecryptionFailure,
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { ulid } from 'ulid';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createSecretReader } from '../../../../lib/adapters/secrets/secret-reader.ts';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';
import { describeSecretReader } from '../../../contract/secret-reader.ts';

const ACCOUNT = '123456789012';
const secretArn = (name: string, region = 'eu-west-1') =>
  `arn:aws:secretsmanager:${region}:${ACCOUNT}:secret:${name}`;
const parameterArn = (name: string, region = 'eu-west-1') =>
  `arn:aws:ssm:${region}:${ACCOUNT}:parameter/${name}`;

const secretsManager = mockClient(SecretsManagerClient);
const ssm = mockClient(SSMClient);

afterEach(() => {
  secretsManager.reset();
  ssm.reset();
});

describeSecretReader('Secrets Manager', async () => {
  const missing = new ResourceNotFoundException({ message: 'no such secret', $metadata: {} });
  secretsManager.on(GetSecretValueCommand).rejects(missing);
  return {
    reader: createSecretReader({ clock: systemClock }),
    put: async (name, text) => {
      secretsManager
        .on(GetSecretValueCommand, { SecretId: secretArn(name) })
        .resolves({ SecretString: text });
      return secretArn(name);
    },
    missing: secretArn('missing'),
  };
});

describeSecretReader('SSM', async () => {
  ssm.on(GetParameterCommand).rejects(new ParameterNotFound({ message: 'no such parameter', $metadata: {} }));
  return {
    reader: createSecretReader({ clock: systemClock }),
    put: async (name, text) => {
      ssm
        .on(GetParameterCommand, { Name: parameterArn(name), WithDecryption: true })
        .resolves({ Parameter: { Value: text } });
      return parameterArn(name);
    },
    missing: parameterArn('missing'),
  };
});

describe('createSecretReader', () => {
  it('asks once in 300 s, for all who ask', async () => {
    const clock = createManualClock();
    const reader = createSecretReader({ clock });
    secretsManager.on(GetSecretValueCommand).resolves({ SecretString: '{}' });
    await Promise.all([reader.read(secretArn('a')), reader.read(secretArn('a'))]);
    await clock.advance(299_999);
    await reader.read(secretArn('a'));
    expect(secretsManager.calls()).toHaveLength(1);
    await clock.advance(1);
    await reader.read(secretArn('a'));
    expect(secretsManager.calls()).toHaveLength(2);
  });

  it('does not keep a failure', async () => {
    const reader = createSecretReader({ clock: systemClock });
    secretsManager.on(GetSecretValueCommand).rejectsOnce('away').resolves({ SecretString: '{"a":"b"}' });
    await expect(reader.read(secretArn('a'))).rejects.toMatchObject({
      reaction: 'retry',
      code: 'SECRET_UNAVAILABLE',
    });
    expect(await reader.read(secretArn('a'))).toEqual({ a: 'b' });
  });

  it('uses a client of the region in the ARN, the same one again', async () => {
    const reader = createSecretReader({ clock: systemClock });
    secretsManager.on(GetSecretValueCommand).resolves({ SecretString: '{}' });
    for (const region of ['eu-west-1', 'us-east-2', 'eu-west-1'])
      await reader.read(secretArn(ulid(), region));
    await reader.read(secretArn(ulid(), 'us-east-2'));
    const clients = secretsManager.calls().map(({ thisValue }) => thisValue as SecretsManagerClient);
    expect(await Promise.all(clients.map(({ config }) => config.region()))).toEqual([
      'eu-west-1',
      'us-east-2',
      'eu-west-1',
      'us-east-2',
    ]);
    expect(clients[0]).toBe(clients[2]);
    expect(clients[1]).toBe(clients[3]);
  });

  it('forgets the oldest of more than 200 secrets', async () => {
    const reader = createSecretReader({ clock: systemClock });
    secretsManager.on(GetSecretValueCommand).resolves({ SecretString: '{}' });
    for (let index = 0; index <= 200; index += 1) await reader.read(secretArn(`${index}`));
    await reader.read(secretArn('200'));
    expect(secretsManager.calls()).toHaveLength(201);
    await reader.read(secretArn('0'));
    expect(secretsManager.calls()).toHaveLength(202);
  });

  it.each([
    { name: 'AccessDeniedException', code: 'SECRET_ACCESS_DENIED', reaction: 'hold' },
    { name: 'InvalidRequestException', code: 'SECRET_NOT_FOUND', reaction: 'hold' },
    { name: 'ThrottlingException', code: 'SECRET_UNAVAILABLE', reaction: 'retry' },
    { name: 'TimeoutError', code: 'SECRET_UNAVAILABLE', reaction: 'retry' },
  ])('answers $name with $code', async ({ name, code, reaction }) => {
    secretsManager.on(GetSecretValueCommand).rejects(Object.assign(new Error('said'), { name }));
    const reader = createSecretReader({ clock: systemClock });
    await expect(reader.read(secretArn('a'))).rejects.toMatchObject({ code, reaction, scope: 'cluster' });
  });

  it('tells a KMS key it may not use from a missing secret', async () => {
    secretsManager.on(GetSecretValueCommand).rejects(new DecryptionFailure({ message: 'no', $metadata: {} }));
    const reader = createSecretReader({ clock: systemClock });
    await expect(reader.read(secretArn('a'))).rejects.toMatchObject({ code: 'SECRET_ACCESS_DENIED' });
  });

  it('refuses a binary secret and a reference that is no ARN', async () => {
    secretsManager.on(GetSecretValueCommand).resolves({ SecretBinary: Buffer.from('{}') });
    const reader = createSecretReader({ clock: systemClock });
    await expect(reader.read(secretArn('a'))).rejects.toMatchObject({ code: 'SECRET_INVALID' });
    await expect(reader.read('hunter2')).rejects.toMatchObject({ code: 'SECRET_INVALID' });
    await expect(reader.read('hunter2')).rejects.not.toThrow('hunter2');
  });
});
