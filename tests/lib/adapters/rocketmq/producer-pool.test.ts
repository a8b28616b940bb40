import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemorySecretReader } from '../../../../lib/adapters/memory/secret-reader.ts';
import type { RocketmqProducerOptions } from '../../../../lib/adapters/rocketmq/producer.ts';
import { createProducerPool } from '../../../../lib/adapters/rocketmq/producer-pool.ts';
import type { RocketmqClusterRecord } from '../../../../lib/domain/clusters/cluster.ts';
import {
  type BridgeError,
  BrokerHoldError,
  BrokerUnavailableError,
  GroupStoppedError,
} from '../../../../lib/domain/errors/errors.ts';
import type { MessageProducer, SendResult } from '../../../../lib/ports/message-producer.ts';
import type { SecretReader } from '../../../../lib/ports/secret-reader.ts';
import { errorAt, plain } from '../../../contract/message-producer.ts';

const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:rocketmq';
const OLD_KEYS = { accessKey: 'AK', secretKey: 'old' };
const NEW_KEYS = { accessKey: 'AK', secretKey: 'new' };
const MINUTE_MS = 60_000;

type Answer = (body: string) => BridgeError | undefined | Promise<undefined>;

describe('createProducerPool', () => {
  it('makes one producer per cluster from its record and its secret', async () => {
    const { pool, made, secrets } = start();
    secrets.set(SECRET, JSON.stringify({ ...OLD_KEYS, securityToken: 'token', ca: 'PEM' }));
    await Promise.all([pool.producerFor(cluster()), pool.producerFor(cluster())]);
    await pool.producerFor(cluster());
    expect(made).toHaveLength(1);
    expect(made[0]?.options).toMatchObject({
      endpoint: 'rmq.example:8081',
      tls: true,
      namespace: 'tenant',
      multiMessage: 'on',
      ca: 'PEM',
      credentials: { ...OLD_KEYS, securityToken: 'token' },
    });
  });

  it('needs no secret where the cluster names none', async () => {
    const { pool, made } = start();
    const { secretRef: _, ...open } = cluster();
    await pool.producerFor(open);
    expect(made[0]?.options).not.toHaveProperty('credentials');
  });

  it.each([
    { what: 'a new version of the record', change: { version: 2 }, secret: OLD_KEYS, laterMs: 0 },
    { what: 'a new secret', change: {}, secret: NEW_KEYS, laterMs: 0 },
    { what: 'the age of 15 minutes', change: {}, secret: OLD_KEYS, laterMs: 15 * MINUTE_MS },
  ])(
    'makes another for $what, and closes the first when its last send has ended',
    async ({ change, secret, laterMs }) => {
      const { pool, made, secrets, clock, answers } = start();
      const handle = await pool.producerFor(cluster());
      const begun = Promise.withResolvers<void>();
      const { promise, resolve } = Promise.withResolvers<undefined>();
      answers.push(() => {
        begun.resolve();
        return promise;
      });
      const sending = handle.send('t', [plain('t', 'a')], soon(clock));
      await begun.promise;
      await clock.advance(laterMs);
      secrets.set(SECRET, JSON.stringify(secret));
      await pool.producerFor(cluster(change));
      expect(made.map(({ closed }) => closed)).toEqual([false, false]);
      resolve(undefined);
      await sending;
      expect(made.map(({ closed }) => closed)).toEqual([true, false]);
    },
  );

  it('sends with the producer of now through a handle of before', async () => {
    const { pool, made, clock } = start();
    const handle = await pool.producerFor(cluster());
    await clock.advance(15 * MINUTE_MS);
    await handle.send('t', [plain('t', 'a')], soon(clock));
    expect(made.map(({ sent }) => sent)).toEqual([[], ['a']]);
  });

  it('keeps 20 clusters, and closes the one used longest ago', async () => {
    const { pool, made } = start();
    const clusterIds = Array.from({ length: 20 }, (_, index) => `cluster-${index}`);
    for (const clusterId of clusterIds) await pool.producerFor(cluster({ clusterId }));
    await pool.producerFor(cluster({ clusterId: 'cluster-0' }));
    await pool.producerFor(cluster({ clusterId: 'cluster-20' }));
    expect(made.flatMap(({ closed }, index) => (closed ? [index] : []))).toEqual([1]);
  });

  it('throws when the secret cannot be read, or holds half of a key pair', async () => {
    const { pool, secrets } = start();
    secrets.set(SECRET, '{"accessKey":"AK"}');
    await expect(pool.producerFor(cluster())).rejects.toMatchObject({ code: 'SECRET_INVALID' });
    await expect(pool.producerFor(cluster({ secretRef: `${SECRET}-gone` }))).rejects.toMatchObject({
      code: 'SECRET_NOT_FOUND',
    });
  });

  it('goes on with the producer it has while the secret store is away', async () => {
    const away = new BrokerUnavailableError('away', { code: 'SECRET_UNAVAILABLE' });
    const reads: (() => Promise<Record<string, string>>)[] = [async () => OLD_KEYS];
    const reader: SecretReader = { read: () => reads.shift()?.() ?? Promise.reject(away) };
    const { pool, made, clock } = start(reader);
    const handle = await pool.producerFor(cluster());
    const [result] = await handle.send('t', [plain('t', 'a')], soon(clock));
    expect(result).toMatchObject({ status: 'stored' });
    expect(made).toHaveLength(1);
    await clock.advance(15 * MINUTE_MS);
    const results = await handle.send('t', [plain('t', 'a')], soon(clock));
    expect(errorAt(results, 0)).toBe(away);
  });

  describe('when the credentials are refused', () => {
    const refused = new BrokerHoldError('no', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' });

    it('reads the secret fresh, and sends with the new one what was refused for the old one', async () => {
      const { pool, made, secrets, clock, answers } = start();
      const handle = await pool.producerFor(cluster());
      const other = new BrokerUnavailableError('lost', { maybeStored: true });
      const stopped = new GroupStoppedError('behind', { cause: refused });
      const stoppedByOther = new GroupStoppedError('behind', { cause: other });
      const said = new Map<string, BridgeError>(
        Object.entries({ b: refused, c: stopped, d: other, e: stoppedByOther }),
      );
      answers.push((body) => said.get(body));
      // The reader's cache would still answer the old one: only `fresh` sees the rotation.
      secrets.rotate(NEW_KEYS);
      const results = await handle.send(
        't',
        ['a', 'b', 'c', 'd', 'e'].map((body) => plain('t', body)),
        soon(clock),
      );
      expect(made.map(({ sent }) => sent)).toEqual([
        ['a', 'b', 'c', 'd', 'e'],
        ['b', 'c'],
      ]);
      expect(results.map(({ status }) => status)).toEqual(['stored', 'stored', 'stored', 'failed', 'failed']);
      expect(made[1]?.options.credentials).toEqual(NEW_KEYS);
    });

    it('leaves it at the refusal when the secret is the same, and reads it no more than every 30 s', async () => {
      const { pool, made, secrets, clock, answers } = start();
      const handle = await pool.producerFor(cluster());
      answers.push(...Array(4).fill(() => refused));
      for (const laterMs of [0, 0, 30_000]) {
        await clock.advance(laterMs);
        const results = await handle.send('t', [plain('t', 'a')], soon(clock));
        expect(errorAt(results, 0)).toBe(refused);
      }
      expect(made).toHaveLength(1);
      expect(secrets.reads.filter(({ fresh }) => fresh)).toHaveLength(2);
    });
  });

  it('asks for a topic once more with rotated credentials', async () => {
    const refused = new BrokerHoldError('no', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' });
    const { pool, made, secrets, answers, clock } = start();
    const producer = await pool.producerFor(cluster());
    answers.push(() => refused);
    await expect(producer.check('orders', soon(clock).deadlineMs)).rejects.toBe(refused);
    secrets.rotate(NEW_KEYS);
    await clock.advance(60_000);
    answers.push(() => refused);
    await producer.check('orders', soon(clock).deadlineMs);
    expect(made.map(({ sent }) => sent)).toEqual([['orders', 'orders'], ['orders']]);
  });

  it('closes everything, and makes nothing more', async () => {
    const { pool, made } = start();
    await pool.producerFor(cluster());
    await pool.close();
    expect(made[0]?.closed).toBe(true);
    await expect(pool.producerFor(cluster())).rejects.toThrow('closed');
  });
});

/** A pool whose producers note what they are given; each send takes the next of `answers`. */
function start(reader?: SecretReader) {
  const clock = createManualClock();
  const memory = createMemorySecretReader({ [SECRET]: JSON.stringify(OLD_KEYS) });
  let rotated: Record<string, string> | undefined;
  const secrets = {
    ...memory,
    rotate: (members: Record<string, string>) => {
      rotated = members;
    },
  };
  const cachedReader: SecretReader = {
    read: async (secretRef, options) => {
      if (options?.fresh && rotated !== undefined) memory.set(secretRef, JSON.stringify(rotated));
      return memory.read(secretRef, options);
    },
  };
  const answers: Answer[] = [];
  const made: { options: RocketmqProducerOptions; sent: string[]; closed: boolean }[] = [];
  const pool = createProducerPool({
    secrets: reader ?? cachedReader,
    clock,
    createProducer: (options) => {
      const entry = { options, sent: [] as string[], closed: false };
      made.push(entry);
      const producer: MessageProducer = {
        async send(_topic, messages) {
          const answer = answers.shift();
          const results: SendResult[] = [];
          for (const { body } of messages) {
            entry.sent.push(body.toString());
            const error = await answer?.(body.toString());
            results.push(
              error === undefined ? { status: 'stored', messageId: 'id' } : { status: 'failed', error },
            );
          }
          return results;
        },
        async check(topic) {
          entry.sent.push(topic);
          const error = await answers.shift()?.(topic);
          if (error !== undefined) throw error;
        },
        close: async () => {
          entry.closed = true;
        },
      };
      return producer;
    },
  });
  return { pool, made, secrets, clock, answers };
}

function cluster(change: Partial<RocketmqClusterRecord> = {}): RocketmqClusterRecord {
  return {
    clusterId: 'business',
    kind: 'rocketmq',
    name: 'Business',
    region: 'eu-west-1',
    endpoint: 'rmq.example:8081',
    tls: true,
    namespace: 'tenant',
    multiMessage: 'on',
    secretRef: SECRET,
    version: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...change,
  };
}

function soon(clock: { now(): number }) {
  return { deadlineMs: clock.now() + 5_000 };
}
