import { afterEach, describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemorySecretReader } from '../../../../lib/adapters/memory/secret-reader.ts';
import { createRocketmqAdmins } from '../../../../lib/adapters/rocketmq-admin/admins.ts';
import type { RocketmqClusterRecord } from '../../../../lib/domain/clusters/cluster.ts';
import { createFakeRemoting } from '../../../helpers/fake-remoting-server.ts';

const remoting = createFakeRemoting();
afterEach(() => remoting.close());

const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:rocketmq';
const secretOf = (secretKey: string) => JSON.stringify({ accessKey: 'user', secretKey });

function clusterAt(nameServer: string | undefined): RocketmqClusterRecord {
  return {
    clusterId: 'business',
    kind: 'rocketmq',
    name: 'Business',
    region: 'eu-west-1',
    endpoint: 'rmq.example:8081',
    ...(nameServer === undefined ? {} : { nameServer }),
    secretRef: SECRET,
    tls: true,
    multiMessage: 'auto',
    version: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  };
}

describe('createRocketmqAdmins', () => {
  it('has none for a cluster without a name server, and reads no secret for it', async () => {
    const secrets = createMemorySecretReader();
    const admins = createRocketmqAdmins({ secrets, clock: createManualClock() });
    expect(await admins.adminOf(clusterAt(undefined))).toBeUndefined();
    expect(secrets.reads).toEqual([]);
  });

  it('throws when the secret cannot be read', async () => {
    const admins = createRocketmqAdmins({ secrets: createMemorySecretReader(), clock: createManualClock() });
    await expect(admins.adminOf(clusterAt('127.0.0.1:1'))).rejects.toMatchObject({
      code: 'SECRET_NOT_FOUND',
    });
  });

  it('reads a refused secret afresh once for all calls under way, and not again within 30 s', async () => {
    const clock = createManualClock();
    const secrets = createMemorySecretReader({ [SECRET]: secretOf('old') });
    const { nameServer } = await remoting.startCluster(
      ({ code }) => (code === 106 ? undefined : { code: 16, remark: 'check signature failed.' }),
      3,
    );
    const admins = createRocketmqAdmins({ secrets, clock });
    const freshReads = () => secrets.reads.filter(({ fresh }) => fresh).length;
    const list = async () => (await admins.adminOf(clusterAt(nameServer)))?.listTopics();
    await expect(list()).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    expect(freshReads()).toBe(1);
    await expect(list()).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    expect(freshReads()).toBe(1);
    await clock.advance(30_001);
    await expect(list()).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    expect(freshReads()).toBe(2);
  });
});
