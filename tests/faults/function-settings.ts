import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  paginateListFunctions,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { rootConfig } from '../../local/deploy.ts';
import type { Stack } from '../../local/stack.ts';
import { eventually } from '../helpers/eventually.ts';

const UPDATED_MS = 60_000;

type Variables = Record<string, string>;

/** Functions ask DynamoDB at this address from now on, and get these variables beside. Once more after each deployment. */
export async function relayTable(
  { aws }: Stack,
  { url }: { url: string },
  variables: Readonly<Variables> = {},
): Promise<void> {
  const lambda = new LambdaClient(rootConfig(aws));
  try {
    for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {})) {
      for (const { FunctionName = '', Environment } of Functions) {
        const { Variables = {} } = Environment ?? {};
        if (Variables.TABLE_NAME === undefined) continue;
        await setVariables(lambda, FunctionName, {
          ...Variables,
          ...variables,
          AWS_ENDPOINT_URL_DYNAMODB: url,
        });
      }
    }
  } finally {
    lambda.destroy();
  }
}

/** The next processes of a function ask for everything but its table at this address. Once more after each deployment. */
export async function relayFunction(
  { aws }: Stack,
  functionName: string,
  { url }: { url: string },
): Promise<void> {
  const lambda = new LambdaClient(rootConfig(aws));
  try {
    const { Environment } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: functionName }),
    );
    await setVariables(lambda, functionName, { ...Environment?.Variables, AWS_ENDPOINT_URL: url });
  } finally {
    lambda.destroy();
  }
}

async function setVariables(lambda: LambdaClient, FunctionName: string, Variables: Variables): Promise<void> {
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
  await eventually(
    async () => await lambda.send(new GetFunctionConfigurationCommand({ FunctionName })),
    ({ LastUpdateStatus = 'Successful' }) => LastUpdateStatus === 'Successful',
    { timeoutMs: UPDATED_MS, what: `${FunctionName} is updated` },
  );
}
