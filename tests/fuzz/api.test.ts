import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ROUTES } from '../../lib/api/openapi.ts';
import { Problem } from '../../lib/api/problem.ts';
import type { ApiCall } from '../helpers/api-event.ts';
import { type ApiWorld, createApiWorld } from '../helpers/api-world.ts';
import { corpusOf, FUZZ, hostileJson, mutatedBytes, oddValues } from '../helpers/mutations.ts';

/** Stands where people put secrets by mistake: no refusal and no log line may repeat it. */
const SECRET = 'pLaNtEdSeCrEt';
const ULID = '01JD4YQ3V8F0G2H4J6K8M0N2P5';
const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:mqferry/dev/factory';

const secretRef = fc.constantFrom(undefined, ARN, SECRET, `${SECRET}\n`);
const clusters = fc.oneof(
  fc.record({ kind: fc.constant('aws-iot'), name: fc.constant('n'), region: fc.constant('eu-west-1') }),
  fc.record({
    kind: fc.constant('mqtt'),
    name: fc.constant('n'),
    region: fc.constant('eu-west-1'),
    url: fc.constantFrom(
      'mqtts://mqtt.example:8883',
      `mqtts://user:${SECRET}@mqtt.example`,
      `wss://h/p?token=x`,
    ),
    secretRef,
  }),
  fc.record({
    kind: fc.constant('rocketmq'),
    name: fc.constant('n'),
    region: fc.constant('eu-west-1'),
    endpoint: fc.constantFrom('rmq.example:8081', `${SECRET}@rmq.example:8081`),
    tls: fc.boolean(),
    secretRef,
    accessKey: fc.constantFrom(undefined, SECRET),
    nameServer: fc.constantFrom(undefined, 'rmq.example:9876'),
  }),
);
const templates = fc.constantFrom('t', 'charger_status', '${topic[2]}', '${payload.a:-x}', '${', 'a b', '$');
const tasks = fc.record(
  {
    taskName: fc.constantFrom('charger-wills', 'a', 'x'.repeat(200)),
    description: fc.constantFrom('', 'd', null),
    source: fc.oneof(
      fc.record({
        clusterId: fc.constantFrom('devices', 'business', 'nowhere'),
        topicFilters: fc.array(
          fc.constantFrom('#', 'a/+/b', "a'", '$aws/x', '$share/g/a', 'stations/+/status'),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
      }),
      fc.record({
        clusterId: fc.constantFrom('business', 'devices'),
        topic: fc.constantFrom('charger_status', 'other', '%DLQ%x'),
        filter: fc.constantFrom(
          undefined,
          { type: 'tag', expression: 'a || b' },
          { type: 'sql92', expression: "a = 'b' AND (c IS NULL OR d > 1)" },
        ),
        consumerGroup: fc.constantFrom(undefined, 'g'),
      }),
    ),
    target: fc.record(
      {
        clusterId: fc.constantFrom('business', 'devices'),
        topic: templates,
        tag: templates,
        keys: fc.array(templates, { maxLength: 2 }),
        messageGroup: templates,
        qos: fc.constantFrom<unknown>(0, 1, 2, '${prop.q:-1}'),
      },
      { requiredKeys: ['clusterId', 'topic'] },
    ),
    options: fc.record(
      {
        via: fc.constantFrom('rule', 'session'),
        ordering: fc.constantFrom('none', 'topic', 'key', 'client'),
        batch: fc.constantFrom<unknown>({}, { maxMessages: 500, maxWaitSeconds: 1 }),
        concurrency: fc.constantFrom(2, 1000),
        whilePaused: fc.constantFrom('buffer', 'broker', 'discard'),
        propertyNames: fc.constantFrom('native', 'alibaba'),
        secretKey: fc.constant(SECRET),
      },
      { requiredKeys: [] },
    ),
    startNow: fc.boolean(),
    password: fc.constant(SECRET),
  },
  { requiredKeys: ['taskName', 'source', 'target'] },
);
const others = fc.constantFrom<unknown>(
  { type: 'NORMAL' },
  { topic: 'orders', type: 'FIFO', queues: 4 },
  { to: 'latest' },
  { to: '2027-01-01T00:00:00Z' },
  { ids: [ULID] },
  { all: true, maxMessagesPerSecond: 5 },
  { reason: 'TEMPLATE_VALUE_MISSING' },
  {},
);
/** What a body may be: JSON that means something to some route, changed; or a text that is none. */
const bodies = fc.oneof(
  { weight: 9, arbitrary: hostileJson(corpusOf<unknown>(fc.oneof(clusters, tasks, others))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', `{"password":"${SECRET}"`, `[${'['.repeat(50_000)}`, `"${SECRET}"`),
  },
);
const fitting: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'PUT /clusters/{clusterId}': hostileJson(corpusOf<unknown>(clusters)),
  'POST /tasks': hostileJson(corpusOf<unknown>(tasks)),
  'PATCH /tasks/{taskId}': hostileJson(corpusOf<unknown>(tasks)),
};

const oddTexts = oddValues.map((value) =>
  String(typeof value === 'object' ? JSON.stringify(value) : value).slice(0, 300),
);
const cursors = mutatedBytes(
  fc.constant(Buffer.from(Buffer.from('["tasks","01JD"]').toString('base64url'))),
).map(String);
const queries = fc.dictionary(
  fc.constantFrom(
    'limit',
    'cursor',
    'status',
    'q',
    'reason',
    'backlog',
    'kind',
    'region',
    'clusterId',
    'x',
    '__proto__',
  ),
  fc.oneof(fc.constantFrom('1', 'running', 'discard', 'mqtt', '-1', '1e9'), cursors, oddTexts),
  { maxKeys: 2 },
);
const headers = fc.record(
  {
    'if-match': fc.oneof(fc.constantFrom('"1"', '1', '*', 'W/"1"', SECRET), oddTexts),
    'idempotency-key': fc.oneof(fc.constantFrom('k', `${SECRET}\u00e4`), oddTexts),
    'content-type': fc.constantFrom('application/json', 'application/merge-patch+json', 'text/plain', ''),
    authorization: fc.constant(`Bearer ${SECRET}`),
  },
  { requiredKeys: [], noNullPrototype: true },
);

interface Asked {
  routeKey: string;
  param: string;
  isOwnTask: boolean;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}
const routeKeys = Object.keys(ROUTES).filter((routeKey) => routeKey !== 'GET /openapi.json');
const requestsTo = (routeKey: string): fc.Arbitrary<Asked> =>
  fc.record({
    routeKey: fc.constant(routeKey),
    param: fc.oneof(fc.constantFrom('business', 'devices', 'new', 'charger_status', ULID), oddTexts),
    isOwnTask: fc.boolean(),
    query: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: queries }),
    headers: fc.oneof(fc.constant({}), headers),
    body: fitting[routeKey] ?? (routeKey.startsWith('GET') ? fc.constant('') : bodies),
    isBase64Encoded: fc.integer({ min: 0, max: 9 }).map((share) => share === 0),
  });
const requests = fc.oneof(
  ...[...routeKeys, 'GET /nowhere'].map((routeKey) => ({
    weight: routeKey in fitting ? 6 : 1,
    arbitrary: requestsTo(routeKey),
  })),
);

describe('the API', () => {
  it('answers every request, refuses what is wrong by a code, and repeats no secret', async () => {
    let accepted = 0;
    let world = await createApiWorld();
    let taskId = await world.addPullTask();
    await fc.assert(
      fc.asyncProperty(requests, async (asked) => {
        const status = await expectAnswer(world, callOf(asked, taskId));
        if (world.lines.length > 0) expect(JSON.stringify(world.lines)).not.toContain(SECRET);
        if (status >= 300) return;
        accepted += 1;
        // The next case finds everything as this one did, so that a failure can be repeated.
        if (asked.routeKey.startsWith('GET')) return;
        world = await createApiWorld();
        taskId = await world.addPullTask();
      }),
      FUZZ,
    );
    expect(accepted).toBeGreaterThan(FUZZ.numRuns / 20);
  }, 120_000);
});

function callOf({ isOwnTask, param, body, isBase64Encoded, ...call }: Asked, taskId: string): ApiCall {
  const params: Record<string, string> = {};
  for (const [, name = ''] of call.routeKey.matchAll(/\{(\w+)\}/g)) {
    params[name] = name === 'taskId' && isOwnTask ? taskId : param;
  }
  return { ...call, params, body, event: { isBase64Encoded } };
}

async function expectAnswer(world: ApiWorld, call: ApiCall): Promise<number> {
  const answer = await world.call(call);
  if (answer.status < 300) return answer.status;
  const text = JSON.stringify(answer.body);
  const isProblem =
    answer.headers['content-type'] === 'application/problem+json' &&
    Problem.safeParse(answer.body).success &&
    /^[A-Z][A-Z0-9_]+$/.test(answer.body.code);
  if (answer.status === 500 || !isProblem || text.includes(SECRET))
    expect(answer).toBe('a problem of the request');
  return answer.status;
}
