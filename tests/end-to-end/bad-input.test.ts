import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

let fixture: TaskFixture;
let topic: string;
let fifoTopic: string;
beforeAll(async () => {
  fixture = await openTaskFixture();
  [topic, fifoTopic] = await Promise.all([
    fixture.stack.createTopic('NORMAL'),
    fixture.stack.createTopic('FIFO'),
  ]);
});
afterAll(() => fixture.close());

const source = (topicFilter: string) => ({ source: { clusterId: 'devices', topicFilters: [topicFilter] } });
const target = (more: Record<string, unknown>) => ({ target: { clusterId: 'business', topic, ...more } });

const pull = (from: Record<string, unknown> = {}, to: Record<string, unknown> = {}) => ({
  source: { clusterId: 'business', topic, ...from },
  target: { clusterId: 'devices', topic: 'a/b', ...to },
});

/** What is wrong, what is sent, and what must be answered: status, code of the field, the field. */
const CASES: ReadonlyArray<[string, () => Record<string, unknown>, number, string, string]> = [
  ['a wildcard inside', () => source('a/#/b'), 400, 'TOPIC_FILTER_INVALID', 'source.topicFilters[0]'],
  [
    'more than 7 slashes',
    () => source('a/b/c/d/e/f/g/h/i'),
    400,
    'TOPIC_FILTER_NOT_ON_AWS_IOT',
    'source.topicFilters[0]',
  ],
  ['a reserved topic', () => source('$aws/things/x'), 400, 'RESERVED_TOPIC', 'source.topicFilters[0]'],
  [
    'a quote, which would leave the SQL',
    () => source("a' OR '1'='1"),
    400,
    'TOPIC_FILTER_NOT_ON_AWS_IOT',
    'source.topicFilters[0]',
  ],
  [
    'a control character',
    () => source('a/\u0001'),
    400,
    'TOPIC_FILTER_NOT_ON_AWS_IOT',
    'source.topicFilters[0]',
  ],
  [
    'a shared subscription',
    () => source('$share/g/a'),
    400,
    'SHARED_SUBSCRIPTION_NOT_ON_THIS_PATH',
    'source.topicFilters[0]',
  ],
  [
    'an unknown cluster',
    () => ({ source: { clusterId: 'nobody', topicFilters: ['a'] } }),
    404,
    'CLUSTER_NOT_FOUND',
    'source.clusterId',
  ],
  [
    'a topic that is not registered',
    () => target({ topic: 'not_registered' }),
    404,
    'TOPIC_NOT_REGISTERED',
    'target.topic',
  ],
  [
    'a topic name of 128 characters',
    () => target({ topic: 'x'.repeat(128) }),
    400,
    'ROCKETMQ_TOPIC_INVALID',
    'target.topic',
  ],
  [
    'a slash in the RocketMQ topic',
    () => target({ topic: 'a/b' }),
    400,
    'ROCKETMQ_TOPIC_INVALID',
    'target.topic',
  ],
  [
    'a reserved RocketMQ topic',
    () => target({ topic: 'rmq_sys_x' }),
    400,
    'ROCKETMQ_TOPIC_INVALID',
    'target.topic',
  ],
  ['an unknown template variable', () => target({ tag: '${colour}' }), 400, 'TEMPLATE_INVALID', 'target.tag'],
  [
    'a FIFO topic without any group',
    () => target({ topic: fifoTopic }),
    400,
    'FIFO_NEEDS_MESSAGE_GROUP',
    'target.messageGroup',
  ],
  [
    'a concurrency AWS does not take',
    () => ({ options: { concurrency: 1 } }),
    400,
    'TOO_SMALL',
    'options.concurrency',
  ],
  [
    'an order this path does not keep',
    () => ({ options: { ordering: 'topic' } }),
    400,
    'ORDER_NOT_ON_THIS_PATH',
    'options.ordering',
  ],
  [
    'a large batch without a window',
    () => ({ options: { batch: { maxMessages: 500 } } }),
    400,
    'BATCH_NEEDS_WINDOW',
    'options.batch.maxWaitSeconds',
  ],
  [
    'an option of sessions on the rule path',
    () => ({ options: { lanes: 2 } }),
    400,
    'NOT_ON_THIS_PATH',
    'options.lanes',
  ],
  [
    'a session that asks for an order of clients, whom it does not know',
    () => ({ options: { via: 'session', ordering: 'client' } }),
    400,
    'NOT_ON_THIS_PATH',
    'options.ordering',
  ],
  [
    'a path for messages that are pulled',
    () => ({ ...pull(), options: { via: 'session' } }),
    400,
    'NOT_ON_THIS_PATH',
    'options.via',
  ],
  [
    'a QoS that AWS IoT Core does not have',
    () => pull({}, { qos: 2 }),
    400,
    'QOS_NOT_ON_AWS_IOT',
    'target.qos',
  ],
  ['a wildcard to publish to', () => pull({}, { topic: 'a/#' }), 400, 'TOPIC_NAME_INVALID', 'target.topic'],
  [
    'a filter of which RocketMQ would read the beginning only',
    () => pull({ filter: { type: 'sql92', expression: "site-id = 'a'" } }),
    400,
    'FILTER_INVALID',
    'source.filter.expression',
  ],
  [
    'a topic to pull from that is not registered',
    () => pull({ topic: 'not_registered' }),
    404,
    'TOPIC_NOT_REGISTERED',
    'source.topic',
  ],
  ['an unknown field', () => ({ colour: 'red' }), 400, 'UNKNOWN_FIELD', 'colour'],
  ['an empty name', () => ({ taskName: '' }), 400, 'FORMAT_WRONG', 'taskName'],
];

describe('POST /tasks', () => {
  it.each(CASES)('refuses %s, and says field, rule and remedy', async (_, more, status, code, field) => {
    const answer = await fixture.api('POST', '/tasks', fixture.definition(['a/b/c'], topic, more()));
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect({ status: answer.status, errors: answer.body.errors }).toMatchObject({
      status,
      errors: expect.arrayContaining([expect.objectContaining({ code, field })]),
    });
    for (const error of answer.body.errors) expect(error.message.length).toBeGreaterThan(15);
  });

  it('refuses the wrong direction', async () => {
    const answer = await fixture.api('POST', '/tasks', {
      ...fixture.definition(['a/b/c'], topic),
      source: { clusterId: 'business', topicFilters: ['a/b/c'] },
    });
    expect(answer.status).toBe(400);
  });

  it('refuses what is not JSON, and bodies above 1 MB', async () => {
    expect(await fixture.api('POST', '/tasks', '{"taskName":')).toMatchObject({ status: 400 });
    const large = JSON.stringify({ taskName: 'x'.repeat(1_100_000) });
    expect(await fixture.api('POST', '/tasks', large)).toMatchObject({ status: 413 });
  });

  it('gives a name to one task only, and repeats nothing under the same key', async () => {
    const body = fixture.definition(['a/b/c'], topic, { startNow: false });
    const key = { 'idempotency-key': crypto.randomUUID() };
    const first = await fixture.api('POST', '/tasks', body, key);
    expect(first.status).toBe(201);
    expect(await fixture.api('POST', '/tasks', body, key)).toMatchObject({
      status: 200,
      body: { taskId: first.body.taskId },
    });
    expect(await fixture.api('POST', '/tasks', body)).toMatchObject({
      status: 409,
      body: { code: 'TASK_NAME_TAKEN' },
    });
    expect(await fixture.api('DELETE', `/clusters/${fixture.stack.clusters.rocketmq}`)).toMatchObject({
      status: 409,
      body: { code: 'CLUSTER_IN_USE' },
    });
  });
});
