import { randomUUID } from 'node:crypto';
import { CloudWatchLogsClient, paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListTopicRulesCommand } from '@aws-sdk/client-iot';
import { paginateListEventSourceMappings } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { paginateListQueues } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiUser } from '../../local/api-user.ts';
import { deploy, remove } from '../../local/deploy.ts';
import { type ApiClient, createApiClient } from '../helpers/api-client.ts';
import { eventually } from '../helpers/eventually.ts';
import { plantedPayload } from '../helpers/planted.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

/** AWS takes only some calls a second: fifty, by the environment, take two minutes more. */
const TASKS = Number(process.env.MQFERRY_E2E_TASKS ?? 10);
const RUNNING = Math.floor(TASKS * 0.4);

let fixture: TaskFixture;
beforeAll(async () => {
  fixture = await openTaskFixture();
});
afterAll(() => fixture.close());

/** Names of all that carries the stage's prefix, of every kind that a stack or a task makes. */
async function leftOf(stage: string): Promise<Record<string, string[]>> {
  const { cloud, config } = fixture.stack;
  const prefix = new RegExp(`mqferry[-_]${stage}[-_]`, 'i');
  const queues: string[] = [];
  for await (const page of paginateListQueues({ client: cloud.sqs }, {}))
    queues.push(...(page.QueueUrls ?? []));
  const mappings: string[] = [];
  for await (const page of paginateListEventSourceMappings({ client: cloud.lambda }, {})) {
    mappings.push(...(page.EventSourceMappings ?? []).map(({ EventSourceArn = '' }) => EventSourceArn));
  }
  const { rules = [] } = await cloud.iot.send(new ListTopicRulesCommand({ maxResults: 10_000 }));
  const logGroups: string[] = [];
  for await (const page of paginateDescribeLogGroups({ client: new CloudWatchLogsClient(config) }, {})) {
    logGroups.push(...(page.logGroups ?? []).map(({ logGroupName = '' }) => logGroupName));
  }
  const { Buckets = [] } = await new S3Client({ ...config, forcePathStyle: true }).send(
    new ListBucketsCommand(),
  );
  const { TableNames = [] } = await new DynamoDBClient(config).send(new ListTablesCommand());
  const ours = (names: readonly string[]) => names.filter((name) => prefix.test(name));
  return {
    queues: ours(queues),
    mappings: ours(mappings),
    rules: ours(rules.map(({ ruleName = '' }) => ruleName)),
    logGroups: ours(logGroups),
    buckets: ours(Buckets.map(({ Name = '' }) => Name)),
    tables: ours(TableNames),
  };
}

async function createTasks(api: ApiClient, topic: string): Promise<void> {
  for (let number = 0; number < TASKS; number += 1) {
    const created = await api('POST', '/tasks', {
      ...fixture.definition([`gone/${number}/+`], topic),
      startNow: number < RUNNING,
    });
    if (created.status !== 201) throw new Error(`task ${number}: ${JSON.stringify(created.body)}`);
  }
}

async function statuses(api: ApiClient): Promise<Record<string, number>> {
  const { body } = await api('GET', `/tasks?limit=100`);
  const counts: Record<string, number> = {};
  for (const { status } of body.items) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe('serverless remove', () => {
  it(`leaves nothing of ${TASKS} tasks under traffic, and does not touch another stage`, async () => {
    const { stack } = fixture;
    const kept = await stack.createTopic('NORMAL');
    const station = `k${randomUUID().slice(0, 8)}`;
    const keptTask = await fixture.runningTask([`stations/${station}/status`], kept);
    const keptBefore = await leftOf('local');

    const aws = {
      endpoint: stack.config.endpoint,
      region: stack.config.region,
      root: stack.config.credentials,
    };
    const logs = `${stack.dir}/deploy-gone`;
    const deployment = await deploy({ aws, stage: 'gone', logs });
    const user = await createApiUser(
      { ...aws, accountId: '000000000000' },
      deployment.apiId,
      'operator-of-gone',
    );
    const api = createApiClient({ api: deployment.api, region: aws.region, ...user });
    await api('PUT', '/clusters/devices', { kind: 'aws-iot', name: 'Devices', region: aws.region });
    await api('PUT', '/clusters/business', {
      kind: 'rocketmq',
      name: 'Business',
      region: aws.region,
      endpoint: stack.rocketmq.endpoint,
    });
    await api('PUT', `/clusters/business/topics/${kept}`, { type: 'NORMAL' });
    await createTasks(api, kept);
    await eventually(
      () => statuses(api),
      (counts) => counts.running === RUNNING && counts.paused === TASKS - RUNNING,
      { timeoutMs: 300_000, everyMs: 1_000, what: `${RUNNING} tasks run, the others are paused` },
    );
    expect((await leftOf('gone')).rules).toHaveLength(TASKS);

    const publisher = await fixture.device();
    let published = 0;
    const traffic = setInterval(() => {
      publisher.publish(`gone/${published % RUNNING}/x`, plantedPayload(`${published}`), { qos: 1 });
      published += 1;
    }, 20);
    try {
      await remove({ aws, stage: 'gone', logs });
    } finally {
      clearInterval(traffic);
    }
    expect(published).toBeGreaterThan(50);
    expect(await leftOf('gone')).toEqual({
      queues: [],
      mappings: [],
      rules: [],
      logGroups: [],
      buckets: [],
      tables: [],
    });

    expect(await leftOf('local')).toEqual(keptBefore);
    const after = await stack.createTopic('NORMAL');
    const other = await fixture.runningTask([`stations/${station}/later`], after);
    const read = stack.consume(after, `g_${station}`, 1);
    await publisher.publishAsync(`stations/${station}/later`, 'still here', { qos: 1 });
    expect((await read).map((message) => message.body.toString())).toEqual(['still here']);
    expect((await fixture.api('GET', `/tasks/${other}`)).body.status).toBe('running');
    expect((await fixture.api('GET', `/tasks/${keptTask}`)).body.status).toBe('running');
  }, 900_000);
});
