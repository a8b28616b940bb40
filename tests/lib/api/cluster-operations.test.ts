import { beforeEach, describe, expect, it } from '@jest/globals';
import { clusterOperations } from '../../../lib/api/cluster-operations.ts';
import { CLUSTER_ROUTES, ClusterAnswer, TopicAnswer } from '../../../lib/api/cluster-routes.ts';
import { createDeleteCluster } from '../../../lib/control/clusters/delete-cluster.ts';
import { createDeleteTopic } from '../../../lib/control/clusters/delete-topic.ts';
import { createGetCluster } from '../../../lib/control/clusters/get-cluster.ts';
import { createGetTopic } from '../../../lib/control/clusters/get-topic.ts';
import { createListClusters } from '../../../lib/control/clusters/list-clusters.ts';
import { createApi } from '../../../lib/middleware/create-api.ts';
import { type ApiCall, invokeApi } from '../../helpers/api-event.ts';
import { type ControlWorld, createControlWorld } from '../../helpers/control-world.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { definitionWith } from '../../helpers/tasks.ts';

const factory = {
  kind: 'mqtt',
  name: 'Factory broker',
  region: 'eu-west-1',
  url: 'mqtts://mqtt.example:8883',
  secretRef: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:mqferry/dev/factory',
};

let world: ControlWorld;
let call: (call: ApiCall) => ReturnType<typeof invokeApi>;

beforeEach(async () => {
  world = await createControlWorld();
  const { clusters } = world;
  const getCluster = createGetCluster({ clusters });
  const operations = clusterOperations({
    ...world,
    getCluster,
    listClusters: createListClusters({ clusters }),
    deleteCluster: createDeleteCluster({ clusters }),
    getTopic: createGetTopic({ clusters, getCluster }),
    deleteTopic: createDeleteTopic({ clusters }),
  });
  const handler = createApi(CLUSTER_ROUTES, operations, { logger: silentLogger });
  call = (request) => invokeApi(handler as never, request);
});

const put = (clusterId: string, body: unknown, headers: Record<string, string> = {}) =>
  call({ routeKey: 'PUT /clusters/{clusterId}', params: { clusterId }, body, headers });
const onCluster = (routeKey: string, clusterId: string, more: Partial<ApiCall> = {}) =>
  call({ routeKey, params: { clusterId }, ...more });
const onTopic = (method: string, clusterId: string, topic: string, body?: unknown) =>
  call({ routeKey: `${method} /clusters/{clusterId}/topics/{topic}`, params: { clusterId, topic }, body });

describe('clusters', () => {
  it('are registered, changed under their version, read and deleted', async () => {
    const created = await put('factory', factory);
    expect(created).toMatchObject({
      status: 201,
      headers: { etag: '"1"' },
      body: { ...factory, clusterId: 'factory' },
    });
    expect(ClusterAnswer.safeParse(created.body).success).toBe(true);
    const changed = await put('factory', { ...factory, name: 'F' }, { 'if-match': '"1"' });
    expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { name: 'F' } });
    expect(await put('factory', factory, { 'if-match': '"1"' })).toMatchObject({ status: 412 });
    expect(await onCluster('GET /clusters/{clusterId}', 'factory')).toMatchObject({
      status: 200,
      body: { version: 2 },
    });
    const deleted = await onCluster('DELETE /clusters/{clusterId}', 'factory');
    expect(deleted).toMatchObject({ status: 204, body: undefined });
    const gone = await onCluster('GET /clusters/{clusterId}', 'factory');
    expect(gone).toMatchObject({ status: 404, body: { code: 'CLUSTER_NOT_FOUND' } });
  });

  it('warn of plain text', async () => {
    const { body } = await put('factory', { ...factory, url: 'mqtt://mqtt.example:1883' });
    expect(body.warnings).toEqual([expect.objectContaining({ code: 'NOT_ENCRYPTED', field: 'url' })]);
  });

  it('are listed by region and kind', async () => {
    await put('factory', { ...factory, region: 'us-east-1' });
    const ids = async (query: Record<string, string>) =>
      (await call({ routeKey: 'GET /clusters', query })).body.items.map(
        ({ clusterId }: { clusterId: string }) => clusterId,
      );
    expect(await ids({})).toEqual(['business', 'devices', 'factory']);
    expect(await ids({ region: 'us-east-1' })).toEqual(['factory']);
    expect(await ids({ kind: 'rocketmq' })).toEqual(['business']);
  });

  it('stay while a task uses them', async () => {
    await world.createTask({ body: definitionWith(), startNow: false });
    const refused = await onCluster('DELETE /clusters/{clusterId}', 'devices');
    expect(refused).toMatchObject({ status: 409, body: { code: 'CLUSTER_IN_USE', tasks: 1 } });
  });

  it.each<[string, string, object, string]>([
    ['an id that is no name', 'Not_An_Id', factory, 'clusterId'],
    ['a secret instead of its name', 'factory', { ...factory, secretRef: 'hunter2' }, 'secretRef'],
    ['a password', 'factory', { ...factory, password: 'hunter2' }, 'password'],
    ['a user in the URL', 'factory', { ...factory, url: 'mqtts://me:hunter2@mqtt.example:8883' }, 'url'],
    ['an unknown kind', 'factory', { ...factory, kind: 'kafka' }, 'kind'],
  ])('refuse %s, and do not repeat it', async (_, clusterId, body, field) => {
    const answer = await put(clusterId, body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [expect.objectContaining({ field })] } });
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
  });
});

describe('topics', () => {
  it('are registered with their type, corrected, read and forgotten', async () => {
    const created = await onTopic('PUT', 'business', 'orders', { type: 'FIFO' });
    expect(created).toMatchObject({
      status: 201,
      body: { clusterId: 'business', topic: 'orders', type: 'FIFO' },
    });
    expect(TopicAnswer.safeParse(created.body).success).toBe(true);
    expect(await onTopic('PUT', 'business', 'orders', { type: 'NORMAL' })).toMatchObject({ status: 200 });
    expect(await onTopic('GET', 'business', 'orders')).toMatchObject({
      status: 200,
      body: { type: 'NORMAL' },
    });
    expect(await onTopic('DELETE', 'business', 'orders')).toMatchObject({ status: 204 });
    expect(await onTopic('GET', 'business', 'orders')).toMatchObject({ status: 404 });
  });

  it('are for RocketMQ, and of names it takes', async () => {
    expect(await onTopic('PUT', 'devices', 'orders', { type: 'NORMAL' })).toMatchObject({
      status: 400,
      body: { code: 'TOPICS_NEED_ROCKETMQ' },
    });
    expect(await onTopic('PUT', 'business', 'x'.repeat(128), { type: 'NORMAL' })).toMatchObject({
      status: 400,
    });
    expect(await onTopic('PUT', 'business', 'orders', { type: 'LITE' })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'type' }] },
    });
  });
});
