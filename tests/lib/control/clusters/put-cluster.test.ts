import { beforeEach, describe, expect, it } from '@jest/globals';
import { createPutCluster } from '../../../../lib/control/clusters/put-cluster.ts';
import { ClusterInput } from '../../../../lib/domain/clusters/cluster.ts';
import { type ControlWorld, createControlWorld } from '../../../helpers/control-world.ts';
import { business, definitionWith, devices } from '../../../helpers/tasks.ts';

describe('createPutCluster', () => {
  let world: ControlWorld;
  beforeEach(async () => {
    world = await createControlWorld();
  });

  const put = (clusterId: string, input: object, expectedVersion?: number) =>
    world.putCluster({ clusterId, input: input as ClusterInput, expectedVersion });
  const createTask = async (startNow: boolean) =>
    (await world.createTask({ body: definitionWith(), startNow })).task;

  it('registers, then replaces', async () => {
    expect(await put('new', devices)).toMatchObject({ created: true, cluster: { version: 1 }, warnings: [] });
    expect(await put('new', { ...devices, name: 'Other' }, 1)).toMatchObject({
      created: false,
      cluster: { name: 'Other', version: 2 },
    });
    await expect(put('new', devices, 1)).rejects.toMatchObject({ status: 412 });
    await expect(put('new', business)).rejects.toMatchObject({ code: 'KIND_FIXED' });
  });

  it.each([
    ['endpoint', { ...business, endpoint: '169.254.169.254:80' }],
    ['nameServer', { ...business, nameServer: 'localhost:9876' }],
    ['url', { kind: 'mqtt', name: 'F', region: 'eu-west-1', url: 'ws://127.0.0.1:9001/2018-06-01' }],
    ['url', { kind: 'mqtt', name: 'F', region: 'eu-west-1', url: 'mqtt://0x7f.1' }],
  ])('refuses %s at this machine or at metadata, but on the local stack', async (field, given) => {
    const input = ClusterInput.parse(given);
    await expect(put('new', input)).rejects.toMatchObject({
      status: 400,
      code: 'ADDRESS_NOT_ALLOWED',
      errors: [{ field, code: 'ADDRESS_NOT_ALLOWED' }],
    });
    const local = createPutCluster({ ...world, allowLocalAddresses: true });
    expect(await local({ clusterId: 'new', input })).toMatchObject({ created: true });
  });

  it('warns of what travels in the clear', async () => {
    const warned = (input: object) =>
      put('x', input).then(({ warnings }) => warnings.map(({ field }) => field));
    expect(await warned(business)).toEqual(['tls']);
    expect(await warned({ ...business, tls: true })).toEqual([]);
    const mqtt = (url: string) => ClusterInput.parse({ kind: 'mqtt', name: 'F', region: 'eu-west-1', url });
    const ofMqtt = async (url: string) => (await put('m', mqtt(url))).warnings.map(({ field }) => field);
    expect(await ofMqtt('mqtt://a:1883')).toEqual(['url']);
    expect(await ofMqtt('wss://a/mqtt')).toEqual([]);
  });

  it('lets everything but the place of a used cluster change while a task runs', async () => {
    await createTask(true);
    const secretRef = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:rocketmq';
    await expect(put('business', { ...business, name: 'N', secretRef, tls: true })).resolves.toBeDefined();
    await expect(put('devices', { ...devices, name: 'N' })).resolves.toBeDefined();
  });

  it.each([
    ['endpoint', { endpoint: 'other.example:8081' }],
    ['namespace', { namespace: 'other' }],
  ])('changes the %s only while no task runs', async (_member, changes) => {
    const task = await createTask(true);
    await expect(put('business', { ...business, ...changes })).rejects.toMatchObject({
      status: 409,
      code: 'CLUSTER_IN_USE',
      extensions: { tasks: 1 },
    });
    await world.pauseTask(task);
    await expect(put('business', { ...business, ...changes })).resolves.toBeDefined();
  });

  it('looks through all pages for running tasks', async () => {
    const running = await createTask(true);
    for (let count = 0; count < 100; count += 1) await createTask(false);
    const moved = { ...business, endpoint: 'other.example:8081' };
    await expect(put('business', moved)).rejects.toMatchObject({ extensions: { tasks: 1 } });
    await world.pauseTask(running);
    await expect(put('business', moved)).resolves.toBeDefined();
  });

  it('changes the region of an aws-iot cluster only while no task uses it: its rules live there', async () => {
    await expect(put('devices', { ...devices, region: 'us-east-1' })).resolves.toBeDefined();
    await put('devices', devices);
    await createTask(false);
    await expect(put('devices', { ...devices, region: 'us-east-1' })).rejects.toMatchObject({
      code: 'CLUSTER_IN_USE',
    });
    await expect(put('business', { ...business, region: 'us-east-1' })).resolves.toBeDefined();
  });
});
