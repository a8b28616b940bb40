import { randomUUID } from 'node:crypto';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { IoTClient } from '@aws-sdk/client-iot';
import { CreateFunctionCommand, DeleteFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { CONTROL_PLANE_CLIENT } from '../../../lib/adapters/aws/client-options.ts';
import { createIotTopicRules } from '../../../lib/adapters/aws-iot/topic-rules.ts';
import { createLambdaEventSourceMappings } from '../../../lib/adapters/lambda/event-source-mappings.ts';
import { createSqsTaskQueues } from '../../../lib/adapters/sqs/task-queues.ts';
import { emulatorConfig } from '../../helpers/aws-emulator.ts';
import { zipOf } from '../../helpers/zip.ts';

const unpaced = async () => undefined;

/** The adapters on the emulator, with a role, a function and a hand-over queue of this test's own. */
export async function openEmulatedCloud() {
  const config = { ...CONTROL_PLANE_CLIENT, ...emulatorConfig() };
  const id = randomUUID().slice(0, 8);
  const sqs = new SQSClient(config);
  const lambda = new LambdaClient(config);
  const iot = new IoTClient(config);
  const iam = new IAMClient(config);

  const roleArn = await createRole(iam, `test-${id}`);
  const functionName = `test-${id}`;
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: functionName,
      Runtime: 'nodejs20.x',
      Role: roleArn,
      Handler: 'index.handler',
      Timeout: 30,
      Code: { ZipFile: zipOf('index.js', 'exports.handler = async () => ({ batchItemFailures: [] });') },
    }),
  );
  const { QueueUrl: deadLetterUrl = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: `dead-${id}` }),
  );
  const { QueueUrl: deadLetterFifoUrl = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: `dead-${id}.fifo`, Attributes: { FifoQueue: 'true' } }),
  );
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] }),
  );

  return {
    id,
    sqs,
    lambda,
    iot,
    roleArn,
    functionName,
    deadLetterUrl,
    deadLetterArn: Attributes?.QueueArn ?? '',
    deadLetterFifoArn: `${Attributes?.QueueArn}.fifo`,
    queues: createSqsTaskQueues({ sqs }),
    mappings: createLambdaEventSourceMappings({ lambda, pace: unpaced }),
    rules: createIotTopicRules({ iot, pace: unpaced }),
    tags: {
      'mqferry:stack': `arn:aws:cloudformation:eu-west-1:000000000000:stack/test/${id}`,
      'mqferry:task': 't',
    },
    async close() {
      await lambda.send(new DeleteFunctionCommand({ FunctionName: functionName }));
      for (const QueueUrl of [deadLetterUrl, deadLetterFifoUrl]) {
        await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      }
      for (const client of [sqs, lambda, iot, iam]) client.destroy();
    },
  };
}

export type EmulatedCloud = Awaited<ReturnType<typeof openEmulatedCloud>>;

async function createRole(iam: IAMClient, RoleName: string): Promise<string> {
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: ['lambda.amazonaws.com', 'iot.amazonaws.com'] },
            Action: 'sts:AssumeRole',
          },
        ],
      }),
    }),
  );
  return Role?.Arn ?? '';
}
