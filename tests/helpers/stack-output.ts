import { readFile } from 'node:fs/promises';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetTopicRuleCommand, ListTopicRulesCommand } from '@aws-sdk/client-iot';
import { GetFunctionConfigurationCommand, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { AwsClient } from 'aws4fetch';
import type { RecordedAnswer } from './api-client.ts';
import { API_RECORD, type StackUnderTest } from './stack-under-test.ts';

/** A piece of what the stack has put out, and where it stands. */
export interface Output {
  where: string;
  text: string;
}

/** The one answer that holds a message: the dead letter itself. */
const DEAD_LETTER = /^\/tasks\/[^/]+\/dead-letters\/[0-9A-HJKMNP-TV-Z]{26}$/;
const MAX_PAGES = 10_000;

/** Every log line of every function. */
export async function logOutput({ config }: StackUnderTest): Promise<Output[]> {
  const logs = new CloudWatchLogsClient(config);
  const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ limit: 50 }));
  const output: Output[] = [];
  for (const { logGroupName = '' } of logGroups) {
    let nextToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await logs.send(new FilterLogEventsCommand({ logGroupName, nextToken, limit: 10_000 }));
      output.push(
        ...(answer.events ?? []).map(({ message = '' }) => ({ where: logGroupName, text: message })),
      );
      nextToken = answer.nextToken;
      if (nextToken === undefined) break;
    }
  }
  return output;
}

/** Every answer of the API to this suite, but those in which a message is shown on purpose. */
export async function apiOutput(): Promise<Output[]> {
  const lines = (await readFile(API_RECORD, 'utf8')).trimEnd().split('\n');
  return lines
    .map((line) => JSON.parse(line) as RecordedAnswer)
    .filter(({ path, status }) => !(DEAD_LETTER.test(path) && status === 200))
    .map(({ method, path, headers, text }) => ({
      where: `${method} ${path}`,
      text: `${JSON.stringify(headers)} ${text}`,
    }));
}

/** Every item of the stack's tables, but the message in a dead letter. */
export async function tableOutput(stack: StackUnderTest): Promise<Output[]> {
  return (await tableItems(stack)).map(({ where, body, ...item }) => {
    const isDeadLetter = item.deadLetterId !== undefined;
    return { where, text: JSON.stringify(isDeadLetter ? item : { ...item, body }) };
  });
}

/** The messages in dead letters, where they belong. */
export async function deadLetterBodies(stack: StackUnderTest): Promise<string[]> {
  const items = await tableItems(stack);
  return items.filter(({ deadLetterId }) => deadLetterId !== undefined).map(({ body }) => String(body));
}

async function tableItems({
  config,
}: StackUnderTest): Promise<({ where: string } & Record<string, unknown>)[]> {
  const table = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const { TableNames = [] } = await table.send(new ListTablesCommand());
  const items: ({ where: string } & Record<string, unknown>)[] = [];
  for (const TableName of TableNames) {
    for await (const { Items = [] } of paginateScan({ client: table }, { TableName })) {
      items.push(...Items.map((item) => ({ ...item, where: `${TableName} ${item.PK} ${item.SK}` })));
    }
  }
  return items;
}

/** Names and dimensions of every metric. */
export async function metricOutput({ config }: StackUnderTest): Promise<Output[]> {
  const { endpoint, credentials } = config;
  const signer = new AwsClient({ ...credentials, service: 'monitoring', region: 'eu-west-1', retries: 0 });
  const body = 'Action=ListMetrics&Version=2010-08-01';
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await signer.fetch(endpoint, { method: 'POST', body, headers });
  if (!answer.ok) throw new Error(`listing metrics: ${answer.status}`);
  return [{ where: 'metrics', text: await answer.text() }];
}

/** What was made in the account: functions with their environment, topic rules with their SQL. */
export async function cloudOutput({ cloud }: StackUnderTest): Promise<Output[]> {
  const { Functions = [] } = await cloud.lambda.send(new ListFunctionsCommand());
  const { rules = [] } = await cloud.iot.send(new ListTopicRulesCommand({ maxResults: 10_000 }));
  const functions = Functions.map(async ({ FunctionName = '' }) => ({
    where: `function ${FunctionName}`,
    text: JSON.stringify(await cloud.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))),
  }));
  const described = rules.map(async ({ ruleName = '' }) => ({
    where: `rule ${ruleName}`,
    text: JSON.stringify(await cloud.iot.send(new GetTopicRuleCommand({ ruleName }))),
  }));
  return Promise.all([...functions, ...described]);
}
