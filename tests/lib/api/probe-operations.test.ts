import { beforeEach, describe, expect, it } from '@jest/globals';
import { probeOperations } from '../../../lib/api/probe-operations.ts';
import { LagAnswer, ListedTopicAnswer, PositionAnswer, PROBE_ROUTES } from '../../../lib/api/probe-routes.ts';
import { BrokerHoldError } from '../../../lib/domain/errors/errors.ts';
import { createApi } from '../../../lib/middleware/create-api.ts';
import { type ApiCall, invokeApi, USER_ARN } from '../../helpers/api-event.ts';
import { createProbeWorld, type ProbeWorld } from '../../helpers/probe-world.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';

let world: ProbeWorld;
let call: (call: ApiCall) => ReturnType<typeof invokeApi>;

beforeEach(async () => {
  world = await createProbeWorld();
  await world.openAdmin();
  const handler = createApi(PROBE_ROUTES, probeOperations(world), { logger: silentLogger });
  call = (request) => invokeApi(handler as never, request);
});

const onCluster = (method: string, more: Partial<ApiCall> = {}) =>
  call({ routeKey: `${method} /clusters/{clusterId}/topics`, params: { clusterId: 'business' }, ...more });
const onTask = (method: string, part: string, taskId: string, body?: unknown) =>
  call({ routeKey: `${method} /tasks/{taskId}/${part}`, params: { taskId }, body });

describe('topics', () => {
  it('are created, registered and listed page by page', async () => {
    const created = await onCluster('POST', { body: { topic: 'orders', type: 'FIFO' } });
    expect(created).toMatchObject({
      status: 201,
      headers: { location: '/clusters/business/topics/orders' },
      body: { topic: 'orders', type: 'FIFO', registered: true, onCluster: true, queues: 8, warnings: [] },
    });
    expect(ListedTopicAnswer.safeParse(created.body).success).toBe(true);
    const again = await onCluster('POST', { body: { topic: 'orders', type: 'FIFO', queues: 2 } });
    expect(again).toMatchObject({ status: 200, body: { queues: 8 } });
    const first = await onCluster('GET', { query: { limit: '1' } });
    expect(first.body.items).toEqual([
      expect.objectContaining({ topic: 'charger_status', registered: true, onCluster: false }),
    ]);
    const rest = await onCluster('GET', { query: { cursor: first.body.nextCursor } });
    expect(rest.body.items).toEqual([expect.objectContaining({ topic: 'orders', onCluster: true })]);
    for (const item of [...first.body.items, ...rest.body.items])
      expect(ListedTopicAnswer.safeParse(item).success).toBe(true);
    expect(rest.body).not.toHaveProperty('nextCursor');
  });

  it('are listed with a warning when the cluster cannot be asked, which refuses a creation', async () => {
    world.admin.fail(new BrokerHoldError('refused', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' }));
    expect(await onCluster('GET')).toMatchObject({
      status: 200,
      body: { items: [{ topic: 'charger_status' }], warnings: [{ code: 'CREDENTIALS_REFUSED' }] },
    });
    expect(await onCluster('POST', { body: { topic: 'orders', type: 'FIFO' } })).toMatchObject({
      status: 502,
      body: { code: 'CREDENTIALS_REFUSED' },
    });
  });

  it.each([
    ['no type', { topic: 'orders' }, 'type'],
    ['an unknown type', { topic: 'orders', type: 'LITE' }, 'type'],
    ['no queue', { topic: 'orders', type: 'FIFO', queues: 0 }, 'queues'],
    ['too many queues', { topic: 'orders', type: 'FIFO', queues: 1_025 }, 'queues'],
  ])('are not created of %s', async (_, body, field) => {
    expect(await onCluster('POST', { body })).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });
});

describe('position and lag', () => {
  const group = (taskId: string) => `mqferry_${taskId}`;
  const setUp = async () => {
    const taskId = await world.addPullTask();
    await world.admin.createTopic({ topic: 'charger_commands', type: 'NORMAL', queues: 1 });
    await world.admin.ensureGroup({ consumerGroup: group(taskId), isOrderly: false, retryMaxTimes: 16 });
    world.admin.store('charger_commands', [world.clock.now() - 30_000, world.clock.now()]);
    return taskId;
  };

  it('are told and moved', async () => {
    const taskId = await setUp();
    const lag = await onTask('GET', 'lag', taskId);
    expect(lag).toMatchObject({
      status: 200,
      body: { messages: 2, oldestAgeSeconds: 30, approximate: true },
    });
    expect(LagAnswer.safeParse(lag.body).success).toBe(true);
    const moved = await onTask('POST', 'position', taskId, { to: 'latest' });
    expect(moved).toMatchObject({ status: 200, body: { consumerGroup: group(taskId), to: 'latest' } });
    expect(PositionAnswer.safeParse(moved.body).success).toBe(true);
    expect(await onTask('GET', 'lag', taskId)).toMatchObject({ body: { messages: 0 } });
    const [event] = (await world.tasks.listEvents(taskId, { limit: 1 })).items;
    expect(event).toMatchObject({ code: 'POSITION_RESET', actor: USER_ARN });
  });

  it.each([undefined, {}, { to: 'yesterday' }, { to: '2026-01-01' }, { to: 'latest', force: true }])(
    'are not moved to %j',
    async (body) => {
      const taskId = await setUp();
      expect(await onTask('POST', 'position', taskId, body)).toMatchObject({ status: 400 });
      expect(await onTask('GET', 'lag', taskId)).toMatchObject({ body: { messages: 2 } });
    },
  );
});
