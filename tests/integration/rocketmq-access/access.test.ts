import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createMemorySecretReader } from '../../../lib/adapters/memory/secret-reader.ts';
import { createMessageConsumers } from '../../../lib/adapters/rocketmq/consumers.ts';
import { RocketmqProducer, type RocketmqProducerOptions } from '../../../lib/adapters/rocketmq/producer.ts';
import { createProducerPool } from '../../../lib/adapters/rocketmq/producer-pool.ts';
import { remotingCall } from '../../../lib/adapters/rocketmq-admin/remoting-call.ts';
import { systemClock } from '../../../lib/adapters/system/clock.ts';
import type { SecretReader } from '../../../lib/ports/secret-reader.ts';
import { createCertificateAuthority } from '../../../local/certificates.ts';
import { errorAt, expectSame, failures, plain } from '../../contract/message-producer.ts';
import { rocketmqCluster } from '../../helpers/cluster-record.ts';
import { startTestRocketmq, type TestRocketmq } from '../rocketmq/test-rocketmq.ts';

jest.setTimeout(60_000);

const ADMIN = { accessKey: 'admin', secretKey: 'admin-secret' };
const STRANGER = { accessKey: 'stranger', secretKey: 'stranger-secret' };
const READER = { accessKey: 'reader', secretKey: 'reader-secret' };
const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:rocketmq';
const authority = createCertificateAuthority();
const stored = { status: 'stored' };

let broker: TestRocketmq;
let topic: string;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  broker = await startTestRocketmq(
    {
      tls: authority.issue(['127.0.0.1', 'localhost']),
      acl: { username: ADMIN.accessKey, password: ADMIN.secretKey },
    },
    ADMIN,
  );
  await createUser(STRANGER);
  await createUser(READER);
  topic = await broker.createTopic('NORMAL');
}, 180_000);
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => broker?.stop(), 30_000);

/** A user without any right. `RequestCode.AUTH_CREATE_USER`. */
async function createUser({ accessKey, secretKey }: typeof STRANGER): Promise<void> {
  const user = { username: accessKey, password: secretKey, userType: 'Normal' };
  const answer = await remotingCall(
    `127.0.0.1:${broker.rocketmq.ports.broker}`,
    { code: 3001, fields: { username: accessKey }, body: Buffer.from(JSON.stringify(user)) },
    { credentials: ADMIN },
  );
  expect(answer).toMatchObject({ code: 0 });
}

async function sendWith(options: Partial<RocketmqProducerOptions>, body = 'x') {
  const producer = new RocketmqProducer({
    endpoint: broker.rocketmq.endpoint,
    tls: true,
    ca: authority.certificate,
    credentials: ADMIN,
    multiMessage: 'auto',
    clock: systemClock,
    ...options,
  });
  open.push(producer);
  return producer.send(topic, [plain(topic, body)], { deadlineMs: Date.now() + 20_000 });
}

describe('RocketmqProducer with TLS and ACL', () => {
  it('sends with the private CA and the right credentials', async () => {
    expect(failures(await sendWith({}, 'right'))).toEqual([]);
    expectSame(await broker.readBack(topic, 1), [plain(topic, 'right')]);
  });

  it('checks the name in the certificate', async () => {
    const { port } = new URL(`tcp://${broker.rocketmq.endpoint}`);
    expect(await sendWith({ endpoint: `localhost:${port}` })).toMatchObject([stored]);
    const results = await sendWith({ endpoint: `localhost.localdomain:${port}` });
    expect(failures(results)).toHaveLength(1);
  });

  it.each([
    { what: 'another CA', ca: createCertificateAuthority('other').certificate },
    { what: 'none but those of Node', ca: undefined },
  ])('holds messages when the CA it trusts is $what', async ({ ca }) => {
    const results = await sendWithCa(ca);
    expect(errorAt(results, 0)).toMatchObject({
      reaction: 'hold',
      scope: 'cluster',
      code: 'TLS_UNTRUSTED',
      maybeStored: false,
    });
  });

  it.each([
    { what: 'a wrong secret key', credentials: { ...ADMIN, secretKey: 'wrong' } },
    { what: 'an unknown user', credentials: { accessKey: 'nobody', secretKey: 'x' } },
  ])('holds messages of $what', async ({ credentials }) => {
    const results = await sendWith({ credentials });
    expect(errorAt(results, 0)).toMatchObject({
      reaction: 'hold',
      scope: 'cluster',
      code: 'CREDENTIALS_REFUSED',
    });
    expect(errorAt(results, 0).message).not.toContain(credentials.secretKey);
  });

  it('holds messages of a user who may not publish', async () => {
    const results = await sendWith({ credentials: STRANGER });
    expect(errorAt(results, 0)).toMatchObject({ reaction: 'hold', scope: 'topic', code: 'ACCESS_DENIED' });
  });

  it('takes up a rotated secret within the same send', async () => {
    const members = (secretKey: string) => ({ ...ADMIN, secretKey, ca: authority.certificate });
    // As a reader that still has the old one in its cache.
    const secrets: SecretReader = {
      read: async (_, { fresh = false } = {}) => members(fresh ? ADMIN.secretKey : 'before the rotation'),
    };
    const pool = createProducerPool({ secrets, clock: systemClock });
    open.push(pool);
    const producer = await pool.producerFor({
      clusterId: 'business',
      kind: 'rocketmq',
      name: 'Business',
      region: 'eu-west-1',
      endpoint: broker.rocketmq.endpoint,
      tls: true,
      multiMessage: 'auto',
      secretRef: SECRET,
      version: 1,
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    });
    const deadline = { deadlineMs: Date.now() + 20_000 };
    expect(await producer.send(topic, [plain(topic, 'x')], deadline)).toMatchObject([stored]);
  });

  async function sendWithCa(ca: string | undefined) {
    const producer = new RocketmqProducer({
      endpoint: broker.rocketmq.endpoint,
      tls: true,
      ...(ca === undefined ? {} : { ca }),
      credentials: ADMIN,
      multiMessage: 'auto',
      clock: systemClock,
    });
    open.push(producer);
    return producer.send(topic, [plain(topic, 'x')], { deadlineMs: Date.now() + 20_000 });
  }
});

describe('RocketmqConsumer with TLS and ACL', () => {
  const POP = { maxMessages: 32, invisibleDurationMs: 10_000, awaitMs: 5_000 };

  async function consume(members: Record<string, string>) {
    const secret = JSON.stringify({ ...members, ca: authority.certificate });
    const secrets = createMemorySecretReader({ [SECRET]: secret });
    const consumers = createMessageConsumers({ secrets, clock: systemClock });
    open.push(consumers);
    const cluster = rocketmqCluster({ endpoint: broker.rocketmq.endpoint, tls: true, secretRef: SECRET });
    const filter = { type: 'tag', expression: '*' } as const;
    return consumers.open(cluster, { rocketmqTopic: topic, consumerGroup: `access_${topic}`, filter });
  }

  it('receives and acknowledges with the right credentials', async () => {
    const consumer = await consume(ADMIN);
    expect(await sendWith({}, 'for the consumer')).toMatchObject([stored]);
    const messages = await consumer.receive(POP);
    expect(messages.length).toBeGreaterThan(0);
    expect(await consumer.ack(messages)).toEqual(messages.map(() => ({ status: 'acked' })));
    expect(await consumer.changeInvisibleDuration(messages.slice(0, 1), 20_000)).toHaveLength(1);
  });

  it.each([
    { what: 'a wrong secret key', members: { ...ADMIN, secretKey: 'wrong' }, code: 'CREDENTIALS_REFUSED' },
    { what: 'a user without rights', members: STRANGER, code: 'ACCESS_DENIED' },
  ])('holds receiving with $what', async ({ members, code }) => {
    const consumer = await consume(members);
    await expect(consumer.receive(POP)).rejects.toMatchObject({ code, reaction: 'hold' });
    await expect(consumer.brokers()).rejects.toMatchObject({ code, reaction: 'hold' });
  });

  it('holds receiving when the group is not allowed, though the topic is', async () => {
    await allow(READER, `Topic:${topic}`, 'Sub');
    const consumer = await consume(READER);
    expect(await consumer.brokers()).toHaveLength(1);
    await expect(consumer.receive(POP)).rejects.toMatchObject({ code: 'ACCESS_DENIED', scope: 'topic' });
  });
});

/** `RequestCode.AUTH_CREATE_ACL`. */
async function allow({ accessKey }: typeof READER, resource: string, action: string): Promise<void> {
  const entries = [{ resource, actions: [action], decision: 'Allow' }];
  const acl = { subject: `User:${accessKey}`, policies: [{ policyType: 'Custom', entries }] };
  const answer = await remotingCall(
    `127.0.0.1:${broker.rocketmq.ports.broker}`,
    { code: 3006, fields: { subject: `User:${accessKey}` }, body: Buffer.from(JSON.stringify(acl)) },
    { credentials: ADMIN },
  );
  expect(answer).toMatchObject({ code: 0 });
}
