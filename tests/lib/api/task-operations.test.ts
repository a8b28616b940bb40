import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryFigureStore } from '../../../lib/adapters/memory/figure-store.ts';
import { parseDefinition } from '../../../lib/api/parse-definition.ts';
import { taskOperations } from '../../../lib/api/task-operations.ts';
import { TASK_ROUTES } from '../../../lib/api/task-routes.ts';
import { TaskAnswer } from '../../../lib/api/task-schemas.ts';
import { createReadErrors } from '../../../lib/control/figures/read-errors.ts';
import { createEditTask } from '../../../lib/control/tasks/edit-task.ts';
import { createListEvents } from '../../../lib/control/tasks/list-events.ts';
import { createListRevisions } from '../../../lib/control/tasks/list-revisions.ts';
import { createListTasks } from '../../../lib/control/tasks/list-tasks.ts';
import { newFigures } from '../../../lib/domain/figures/figures.ts';
import { createApi } from '../../../lib/middleware/create-api.ts';
import type { FigureStore } from '../../../lib/ports/figure-store.ts';
import { type ApiCall, invokeApi, USER_ARN } from '../../helpers/api-event.ts';
import { type ControlWorld, createControlWorld } from '../../helpers/control-world.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { business } from '../../helpers/tasks.ts';

const wills = {
  taskName: 'charger-wills',
  source: { clusterId: 'devices', topicFilters: ['stations/+/status'] },
  target: { clusterId: 'business', topic: 'charger_status', tag: '${topic[3]}', keys: ['${topic[2]}'] },
};

let world: ControlWorld;
let figures: FigureStore;
let call: (call: ApiCall) => ReturnType<typeof invokeApi>;

beforeEach(async () => {
  world = await createControlWorld();
  figures = createMemoryFigureStore();
  const { tasks } = world;
  const operations = taskOperations({
    ...world,
    editTask: createEditTask({ ...world, wakeConverge: world.controlQueue.wake, parseDefinition }),
    listTasks: createListTasks({ tasks, liveStatus: async (task) => task }),
    readErrors: createReadErrors({ figures }),
    listEvents: createListEvents({ tasks }),
    listRevisions: createListRevisions({ tasks }),
  });
  const handler = createApi(TASK_ROUTES, operations, { logger: silentLogger });
  call = (request) => invokeApi(handler as never, request);
});

const create = (body: object = {}, headers: Record<string, string> = {}) =>
  call({ routeKey: 'POST /tasks', body: { ...wills, ...body }, headers });
const onTask = (method: string, taskId: string, more: Partial<ApiCall> = {}) =>
  call({ routeKey: method, params: { taskId }, ...more });

describe('POST /tasks', () => {
  it('answers 201 with the definition, its defaults, the state of the task and the warnings', async () => {
    const { status, headers, body } = await create({ startNow: true });
    expect(status).toBe(201);
    expect(headers).toMatchObject({ etag: '"1"', location: `/tasks/${body.taskId}` });
    expect(body).toMatchObject({
      ...wills,
      options: {
        via: 'rule',
        ordering: 'none',
        batch: { maxMessages: 10, maxWaitSeconds: 0 },
        whilePaused: 'buffer',
      },
      direction: 'mqtt-to-rocketmq',
      path: 'rule',
      desired: 'running',
      status: 'creating',
      version: 1,
      resources: { rules: [] },
    });
    expect(body.warnings).toEqual([expect.objectContaining({ code: 'NOT_SEEN_ON_THIS_PATH' })]);
    expect(TaskAnswer.safeParse(body).success).toBe(true);
  });

  it('tells path and consumer group of a task that pulls', async () => {
    const at = new Date().toISOString();
    const nameServer = 'rmq.example:9876';
    await world.clusters.put('business', { ...business, nameServer } as typeof business, { at });
    const { status, body } = await create({
      source: { clusterId: 'business', topic: 'charger_status' },
      target: { clusterId: 'devices', topic: 'stations/${key}/commands' },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      direction: 'rocketmq-to-mqtt',
      path: 'pull',
      consumerGroup: `mqferry_${body.taskId}`,
      warnings: [],
    });
    expect(body.options).not.toHaveProperty('via');
    expect(TaskAnswer.safeParse(body).success).toBe(true);
  });

  it('shows the last failures of messages with the one task', async () => {
    const { body } = await create();
    const { taskId } = body;
    const error = {
      code: 'TOPIC_ILLEGAL',
      reason: 'a space',
      outcome: 'dead-letter',
      deadLetterId: 'D',
    } as const;
    const errors = [{ ...error, atMs: Date.UTC(2026, 10, 23) }];
    const write = { taskId, minute: 1, writer: 'a', sequence: 1, figures: { ...newFigures(), errors } };
    await figures.add(write);
    const shown = await onTask('GET /tasks/{taskId}', taskId);
    expect(shown.body.lastErrors).toEqual([{ at: '2026-11-23T00:00:00.000Z', ...error }]);
    expect(TaskAnswer.safeParse(shown.body).success).toBe(true);
    const list = await call({ routeKey: 'GET /tasks' });
    expect(list.body.items[0]).not.toHaveProperty('lastErrors');
  });

  it('answers 200 with the first task to a repeated request', async () => {
    const first = await create({}, { 'idempotency-key': 'order-7' });
    const again = await create({}, { 'idempotency-key': 'order-7' });
    expect(again).toMatchObject({ status: 200, body: { taskId: first.body.taskId } });
    const other = await create({ description: 'other' }, { 'idempotency-key': 'order-7' });
    expect(other).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  });

  it.each<[string, object, number, string, string]>([
    ['a field nobody knows', { retries: 3 }, 400, 'BODY_INVALID', 'retries'],
    [
      'a concurrency AWS refuses',
      { options: { concurrency: 1 } },
      400,
      'BODY_INVALID',
      'options.concurrency',
    ],
    [
      'an illegal filter',
      { source: { clusterId: 'devices', topicFilters: ['a/#/b'] } },
      400,
      'TOPIC_FILTER_INVALID',
      'source.topicFilters[0]',
    ],
    [
      'an unknown cluster',
      { source: { clusterId: 'nowhere', topicFilters: ['a'] } },
      404,
      'CLUSTER_NOT_FOUND',
      'source.clusterId',
    ],
  ])('refuses %s with its field', async (_, change, status, code, field) => {
    const answer = await create(change);
    expect(answer).toMatchObject({ status, body: { code, errors: [expect.objectContaining({ field })] } });
  });
});

describe('GET /tasks', () => {
  it('filters and pages', async () => {
    await create({ taskName: 'a' });
    world.clock.advance(1);
    await create({ taskName: 'b' });
    const first = await call({ routeKey: 'GET /tasks', query: { limit: '1', status: 'creating' } });
    expect(first.body.items.map(({ taskName }: { taskName: string }) => taskName)).toEqual(['b']);
    const query = { limit: '1', status: 'creating', cursor: first.body.nextCursor };
    const second = await call({ routeKey: 'GET /tasks', query });
    expect(second.body.items.map(({ taskName }: { taskName: string }) => taskName)).toEqual(['a']);
    expect(second.body).not.toHaveProperty('nextCursor');
    const none = await call({ routeKey: 'GET /tasks', query: { q: 'zebra', direction: 'mqtt-to-rocketmq' } });
    expect(none.body).toEqual({ items: [] });
    const bad = await call({ routeKey: 'GET /tasks', query: { cursor: 'bm8' } });
    expect(bad).toMatchObject({ status: 400, body: { code: 'CURSOR_INVALID' } });
  });
});

describe('tasks/{taskId}', () => {
  it('reads, and answers 404 for what is not there', async () => {
    const { body } = await create();
    expect(await onTask('GET /tasks/{taskId}', body.taskId)).toMatchObject({
      status: 200,
      headers: { etag: '"1"' },
    });
    const missing = await onTask('GET /tasks/{taskId}', 'no-such-task');
    expect(missing).toMatchObject({ status: 404, body: { code: 'TASK_NOT_FOUND' } });
  });

  it('edits by merge patch under the version that was read', async () => {
    const { body } = await create();
    world.queueCounter.set({ waiting: 3, inFlight: 1 });
    await world.settle(body.taskId, 'paused');
    const patch = { target: { tag: null, messageGroup: '${topic[2]}' } };
    const headers = { 'if-match': '"1"', 'content-type': 'application/merge-patch+json' };
    await world.clusters.putTopic('business', 'charger_status', 'FIFO', { at: new Date().toISOString() });
    const edited = await onTask('PATCH /tasks/{taskId}', body.taskId, { body: patch, headers });
    expect(edited).toMatchObject({
      status: 200,
      headers: { etag: '"2"' },
      body: { version: 2, affectsBuffered: 4 },
    });
    expect(edited.body.target).toEqual({
      clusterId: 'business',
      topic: 'charger_status',
      keys: ['${topic[2]}'],
      messageGroup: '${topic[2]}',
    });
    const stale = await onTask('PATCH /tasks/{taskId}', body.taskId, { body: patch, headers });
    expect(stale).toMatchObject({ status: 412, body: { code: 'VERSION_MISMATCH', currentVersion: 2 } });
  });

  it('names the field that an edit breaks', async () => {
    const { body } = await create();
    const edited = await onTask('PATCH /tasks/{taskId}', body.taskId, {
      body: { options: { via: 'bus' } },
      headers: { 'if-match': '"1"' },
    });
    expect(edited).toMatchObject({ status: 400, body: { errors: [{ field: 'options.via' }] } });
  });

  it.each([
    [{}, { field: 'options.retry.preset', code: 'FIELD_MISSING' }],
    [{ preset: 'forever' }, { field: 'options.retry.preset', code: 'VALUE_NOT_ALLOWED' }],
    [
      { preset: 'backoff', maxTries: 3 },
      { field: 'options.retry.maxTries', code: 'UNKNOWN_FIELD' },
    ],
    [
      { preset: 'custom', maxTries: 401, firstWaitSeconds: 1, longestWaitSeconds: 1 },
      { field: 'options.retry.maxTries', code: 'TOO_BIG' },
    ],
    [
      { preset: 'custom', maxTries: 4, firstWaitSeconds: 2, longestWaitSeconds: 1 },
      { field: 'options.retry.longestWaitSeconds', code: 'RETRY_WAITS_INVALID' },
    ],
  ])('names what is wrong with retries: %j', async (retry, error) => {
    const created = await create({ options: { retry } });
    expect(created).toMatchObject({ status: 400, body: { errors: [error] } });
  });

  it('needs If-Match for an edit, and a pause before it', async () => {
    const { body } = await create({ startNow: true });
    const edit = { body: { description: 'x' } };
    expect(await onTask('PATCH /tasks/{taskId}', body.taskId, edit)).toMatchObject({ status: 428 });
    const running = await onTask('PATCH /tasks/{taskId}', body.taskId, {
      ...edit,
      headers: { 'if-match': '"1"' },
    });
    expect(running).toMatchObject({ status: 409, body: { code: 'TASK_RUNNING' } });
  });

  it('starts and pauses: 202 while work goes on, 200 when it is so already', async () => {
    const { body } = await create();
    await world.settle(body.taskId, 'paused');
    expect(await onTask('POST /tasks/{taskId}/pause', body.taskId)).toMatchObject({ status: 200 });
    const started = await onTask('POST /tasks/{taskId}/start', body.taskId);
    expect(started).toMatchObject({ status: 202, body: { desired: 'running', status: 'starting' } });
    await world.settle(body.taskId, 'running');
    expect(await onTask('POST /tasks/{taskId}/start', body.taskId)).toMatchObject({ status: 200 });
    const paused = await onTask('POST /tasks/{taskId}/pause', body.taskId);
    expect(paused).toMatchObject({ status: 202, body: { desired: 'paused', status: 'pausing' } });
  });

  it('deletes only what is empty, or what may be discarded', async () => {
    const { body } = await create();
    await world.settle(body.taskId, 'paused');
    world.queueCounter.set({ waiting: 7, inFlight: 0 });
    const refused = await onTask('DELETE /tasks/{taskId}', body.taskId);
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'BACKLOG_NOT_EMPTY', backlog: { messages: 7 } },
    });
    const stale = await onTask('DELETE /tasks/{taskId}', body.taskId, {
      query: { backlog: 'discard' },
      headers: { 'if-match': '"9"' },
    });
    expect(stale).toMatchObject({ status: 412 });
    const deleted = await onTask('DELETE /tasks/{taskId}', body.taskId, { query: { backlog: 'discard' } });
    expect(deleted).toMatchObject({ status: 202, body: { desired: 'deleted', status: 'deleting' } });
  });

  it('tells what happened, by whom, and which definitions there were', async () => {
    const { body } = await create();
    const events = await onTask('GET /tasks/{taskId}/events', body.taskId);
    expect(events.body.items).toEqual([expect.objectContaining({ code: 'TASK_CREATED', actor: USER_ARN })]);
    const revisions = await onTask('GET /tasks/{taskId}/revisions', body.taskId, { query: { limit: '5' } });
    expect(revisions.body.items).toEqual([
      expect.objectContaining({
        version: 1,
        definition: expect.objectContaining({ taskName: 'charger-wills' }),
      }),
    ]);
  });

  it('shows what was made, and why the status is as it is, without what is ours alone', async () => {
    const { body } = await create();
    const lease = await world.tasks.acquireLease(body.taskId, 'converge', 60_000);
    if (lease === undefined) throw new Error('not leased');
    await world.tasks.saveProgress(lease, {
      status: 'failed',
      reason: { code: 'X', message: 'm', at: new Date().toISOString(), about: 'target' },
      resources: {
        queue: { url: 'https://sqs.example/q', arn: 'arn:q', specHash: 'h' },
        mapping: { uuid: 'u', specHash: 'h', enabled: true },
        rules: { 0: { name: 'r', region: 'eu-west-1', topicFilter: 'a', specHash: 'h', enabled: true } },
      },
    });
    const { body: task } = await onTask('GET /tasks/{taskId}', body.taskId);
    expect(task.resources).toEqual({
      queueArn: 'arn:q',
      mappingUuid: 'u',
      rules: [{ name: 'r', region: 'eu-west-1', topicFilter: 'a', enabled: true }],
    });
    expect(task.reason).toEqual({ code: 'X', message: 'm', at: expect.any(String) });
  });
});
