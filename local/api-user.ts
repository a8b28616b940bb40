import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  EntityAlreadyExistsException,
  IAMClient,
  ListAccessKeysCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { rootConfig } from './deploy.ts';
import { LocalStackError } from './errors.ts';
import type { Aws, AwsCredentials } from './parts/aws.ts';

/**
 * An IAM user that may call one HTTP API and nothing else, with a fresh key. Unlike the root key, which passes every
 * policy, it shows that the API is guarded.
 */
export async function createApiUser(
  aws: Pick<Aws, 'endpoint' | 'region' | 'accountId' | 'root'>,
  apiId: string,
  userName = 'mqferry-operator',
): Promise<AwsCredentials> {
  const iam = new IAMClient(rootConfig(aws));
  try {
    await iam.send(new CreateUserCommand({ UserName: userName })).catch(unlessItExists);
    await iam.send(
      new PutUserPolicyCommand({
        UserName: userName,
        PolicyName: 'call-the-api',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: 'execute-api:Invoke',
              Resource: `arn:aws:execute-api:${aws.region}:${aws.accountId}:${apiId}/*`,
            },
          ],
        }),
      }),
    );
    // A user has at most two keys, and the secret of an old one cannot be read again.
    const { AccessKeyMetadata: old = [] } = await iam.send(new ListAccessKeysCommand({ UserName: userName }));
    for (const { AccessKeyId } of old)
      await iam.send(new DeleteAccessKeyCommand({ UserName: userName, AccessKeyId }));
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: userName }));
    if (key?.AccessKeyId === undefined || key.SecretAccessKey === undefined)
      throw new LocalStackError('NO_ACCESS_KEY', `IAM made no key for user ${userName}.`);
    return { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey };
  } finally {
    iam.destroy();
  }
}

function unlessItExists(error: unknown): void {
  if (!(error instanceof EntityAlreadyExistsException)) throw error;
}
