import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createMemorySecretReader } from '../../../lib/adapters/memory/secret-reader.ts';
import { RocketmqProducer } from '../../../lib/adapters/rocketmq/producer.ts';
import { createRocketmqAdmins } from '../../../lib/adapters/rocketmq-admin/admins.ts';
import { remotingCall } from '../../../lib/adapters/rocketmq-admin/remoting-call.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import type { RocketmqClusterRecord } from '../../../lib/domain/clusters/cluster.ts';
import type { RocketmqAdmin } from '../../../lib/ports/rocketmq-admin.ts';
import { failures, plain } from '../../contract/message-producer.ts';
import { describeRocketmqAdmin } from '../../contract/rocketmq-admin.ts';
import { eventually } from '../../helpers/eventually.ts';
import { readMessages } from '../../helpers/rocketmq-consumer.ts';
import { startTestRocketmq, type TestRocketmq } from './test-rocketmq.ts';

jest.setTimeout(90_000);

const ADMIN = { accessKey: 'admin', secretKey: 'admin-secret' };
const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:rocketmq';

/** The cluster as it is registered. */
function recordOf({ rocketmq }: TestRocketmq, changes: Partial<RocketmqClusterRecord> = {}) {
  return {
    clusterId: 'business',
    kind: 'rocketmq',
    name: 'Business',
    region: 'eu-west-1',
    endpoint: rocketmq.endpoint,
    nameServer: rocketmq.nameServer,
    tls: false,
    multiMessage: 'auto',
    version: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  } as const satisfies RocketmqClusterRecord;
}

async function adminOf(cluster: RocketmqClusterRecord, secret: object = ADMIN): Promise<RocketmqAdmin> {
  const secrets = createMemorySecretReader({ [SECRET]: JSON.stringify(secret) });
  const admin = await createRocketmqAdmins({ secrets, clock: systemClock }).adminOf(cluster);
  if (admin === undefined) throw new Error('the cluster has a name server');
  return admin;
}

/** Publishes and reads as applications do, over gRPC. */
async function createHarness(broker: TestRocketmq, admin: RocketmqAdmin, credentials?: typeof ADMIN) {
  const { endpoint } = broker.rocketmq;
  const producer = new RocketmqProducer({
    endpoint,
    tls: false,
    multiMessage: 'off',
    clock: systemClock,
    ...(credentials && { credentials }),
  });
  return {
    admin,
    async publish(rocketmqTopic: string, count: number) {
      const beforeMs = Date.now();
      for (let index = 0; index < count; index += 1) {
        const message = plain(rocketmqTopic, `${index}`);
        const results = await producer.send(rocketmqTopic, [message], { deadlineMs: Date.now() + 10_000 });
        expect(failures(results)).toEqual([]);
      }
      // Brokers tell times to the millisecond: the next message is to have a later one.
      const afterMs = Date.now() + 1;
      await eventually(
        async () => Date.now(),
        (now) => now > afterMs,
        { timeoutMs: 1_000, everyMs: 1, what: 'the next millisecond' },
      );
      return { beforeMs, afterMs };
    },
    async read(rocketmqTopic: string, consumerGroup: string, max: number) {
      const from = { endpoint, rocketmqTopic, consumerGroup, ...(credentials && { credentials }) };
      return (await readMessages({ ...from, count: max, timeoutMs: 6_000 })).length;
    },
    close: () => producer.close(),
  };
}

describe('without ACL', () => {
  let broker: TestRocketmq;
  beforeAll(async () => {
    broker = await startTestRocketmq();
  }, 180_000);
  afterAll(() => broker?.stop(), 30_000);

  describeRocketmqAdmin('RocketMQ 5.4.0', async () => createHarness(broker, await adminOf(recordOf(broker))));

  it('keeps to the namespace of the cluster', async () => {
    const [inside, outside] = [
      await adminOf(recordOf(broker, { namespace: 'factory' })),
      await adminOf(recordOf(broker)),
    ];
    const topic = `topic_${randomUUID()}`;
    const spec = { topic, type: 'NORMAL', queues: 1 } as const;
    expect(await inside.createTopic(spec)).toEqual(spec);
    expect(await inside.listTopics()).toEqual([spec]);
    expect(await outside.getTopic(topic)).toBeUndefined();
    expect(await outside.getTopic(`factory%${topic}`)).toMatchObject({ queues: 1 });
    const group = { consumerGroup: 'billing', isOrderly: false, retryMaxTimes: 16 };
    await inside.ensureGroup(group);
    const of = { rocketmqTopic: topic, consumerGroup: 'billing' };
    await inside.resetPosition({ ...of, position: 'latest' });
    expect(await inside.lag(of)).toEqual({ messages: 0, read: { position: 0, queues: 1 } });
  });

  it('says in its own words what a broker does not accept', async () => {
    const admin = await adminOf(recordOf(broker));
    const refused = admin.createTopic({ topic: 'TBW102', type: 'FIFO', queues: 1 });
    await expect(refused).rejects.toMatchObject({ code: 'ADMIN_REFUSED' });
    const illegal = admin.createTopic({ topic: 'a b', type: 'FIFO', queues: 1 });
    await expect(illegal).rejects.toMatchObject({
      code: 'ADMIN_REFUSED',
      message: expect.stringContaining('illegal characters'),
    });
  });

  it('tells an address that is no name server', async () => {
    const admin = await adminOf(recordOf(broker, { nameServer: broker.rocketmq.endpoint }));
    await expect(admin.listTopics()).rejects.toMatchObject({
      code: expect.stringMatching(/^ADMIN_(ADDRESS_INVALID|UNREACHABLE|TIMEOUT)$/),
    });
  });

  it('fails within its time while the broker hangs, and works again after', async () => {
    const admin = await adminOf(recordOf(broker));
    const { pid } = broker.rocketmq.broker;
    process.kill(pid, 'SIGSTOP');
    try {
      await expect(admin.listTopics()).rejects.toMatchObject({ code: 'ADMIN_TIMEOUT', reaction: 'retry' });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await admin.listTopics()).toEqual(expect.any(Array));
  });
});

describe('with ACL', () => {
  const STRANGER = { accessKey: 'stranger', secretKey: 'stranger-secret' };
  let broker: TestRocketmq;
  let cluster: RocketmqClusterRecord;
  beforeAll(async () => {
    broker = await startTestRocketmq(
      { acl: { username: ADMIN.accessKey, password: ADMIN.secretKey } },
      ADMIN,
    );
    cluster = recordOf(broker, { secretRef: SECRET });
    await createUser(STRANGER);
  }, 180_000);
  afterAll(() => broker?.stop(), 30_000);

  /** A user without any right. `RequestCode.AUTH_CREATE_USER`. */
  async function createUser({ accessKey, secretKey }: typeof STRANGER): Promise<void> {
    const user = { username: accessKey, password: secretKey, userType: 'Normal' };
    const request = {
      code: 3001,
      fields: { username: accessKey },
      body: Buffer.from(JSON.stringify(user)),
    };
    const address = `127.0.0.1:${broker.rocketmq.ports.broker}`;
    expect(await remotingCall(address, request, { credentials: ADMIN })).toMatchObject({ code: 0 });
  }

  describeRocketmqAdmin('RocketMQ 5.4.0 with ACL', async () =>
    createHarness(broker, await adminOf(cluster), ADMIN),
  );

  it.each([
    { what: 'a wrong secret key', secret: { ...ADMIN, secretKey: 'wrong-secret-key' } },
    { what: 'an unknown user', secret: { accessKey: 'nobody', secretKey: 'wrong-secret-key' } },
    { what: 'nobody', secret: {} },
  ])('is refused to $what, without a word of the secret', async ({ secret }) => {
    const admin = await adminOf(cluster, secret);
    const error = await admin.listTopics().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CREDENTIALS_REFUSED', reaction: 'hold', scope: 'cluster' });
    expect(JSON.stringify([error, String(error)])).not.toContain('wrong-secret-key');
  });

  it('is refused to a user who has no right to it', async () => {
    const admin = await adminOf(cluster, STRANGER);
    const spec = { topic: `topic_${randomUUID()}`, type: 'NORMAL', queues: 1 } as const;
    await expect(admin.createTopic(spec)).rejects.toMatchObject({ code: 'ACCESS_DENIED', scope: 'topic' });
  });

  it('takes up a rotated secret within the same call', async () => {
    const secrets = {
      read: async (_: string, { fresh = false } = {}) => ({
        ...ADMIN,
        secretKey: fresh ? ADMIN.secretKey : 'before the rotation',
      }),
    };
    const admin = await createRocketmqAdmins({ secrets, clock: systemClock }).adminOf(cluster);
    expect(await admin?.listTopics()).toEqual(expect.any(Array));
  });
});
