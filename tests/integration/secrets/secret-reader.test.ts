import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll } from '@jest/globals';
import { createSecretReader } from '../../../lib/adapters/secrets/secret-reader.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import { describeSecretReader } from '../../contract/secret-reader.ts';
import { emulatorConfig } from '../../helpers/aws-emulator.ts';

// Not the region of the clients' environment: the reader must take it from the ARN.
const REGION = 'eu-central-1';
const { endpoint, credentials } = emulatorConfig();
const config = { endpoint, credentials, region: REGION };
const secretsManager = new SecretsManagerClient(config);
const ssm = new SSMClient(config);

afterAll(() => {
  secretsManager.destroy();
  ssm.destroy();
});

const newReader = () => createSecretReader({ clock: systemClock, aws: { endpoint, credentials } });

describeSecretReader('Secrets Manager of the emulator', async () => {
  const prefix = randomUUID();
  return {
    reader: newReader(),
    put: async (name, text) => {
      const secret = { Name: `${prefix}/${name}`, SecretString: text };
      try {
        const { ARN = '' } = await secretsManager.send(new CreateSecretCommand(secret));
        return ARN;
      } catch (error) {
        if (!(error instanceof ResourceExistsException)) throw error;
        const change = { SecretId: secret.Name, SecretString: text };
        const { ARN = '' } = await secretsManager.send(new PutSecretValueCommand(change));
        return ARN;
      }
    },
    missing: `arn:aws:secretsmanager:${REGION}:000000000000:secret:${prefix}/missing-AbCdEf`,
  };
});

describeSecretReader('SSM of the emulator', async () => {
  const prefix = `/${randomUUID()}`;
  return {
    reader: newReader(),
    put: async (name, text) => {
      const Name = `${prefix}/${name}`;
      await ssm.send(new PutParameterCommand({ Name, Value: text, Type: 'SecureString', Overwrite: true }));
      const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
      return Parameter?.ARN ?? '';
    },
    missing: `arn:aws:ssm:${REGION}:000000000000:parameter${prefix}/missing`,
  };
});
