import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createDynamoDeadLetterStore } from '../../../lib/adapters/dynamodb/dead-letter-store.ts';
import { createS3LargeBodies } from '../../../lib/adapters/s3/large-bodies.ts';
import { describeDeadLetterStore } from '../../contract/dead-letter-store.ts';
import { emulatorConfig } from '../../helpers/aws-emulator.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
const s3 = new S3Client(emulatorConfig());
afterAll(async () => {
  s3.destroy();
  await tables.dropAll();
});

async function build() {
  const bucket = `dead-letters-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const table = await tables.open();
  const largeBodies = createS3LargeBodies({ s3, bucket });
  return { table, largeBodies, store: createDynamoDeadLetterStore({ table, largeBodies }) };
}

describeDeadLetterStore('DynamoDB and S3', async () => (await build()).store);

describe('createDynamoDeadLetterStore', () => {
  const deadLetter = {
    deadLetterId: '01JD4YQ3V8F0G2H4J6K8M0N2P4',
    taskId: 'task',
    origin: 'forward',
    version: 3,
    code: 'UNMAPPABLE',
    reason: 'a value is missing',
    body: 'x'.repeat(200_001),
    attempts: 2,
    firstSeenAtMs: 1_790_000_000_000,
    failedAtMs: 1_790_000_000_001,
    storedAtMs: 1_790_000_000_002,
  } as const;
  const key = { PK: 'TASK#task', SK: `DEADLETTER#${deadLetter.deadLetterId}` };

  it('puts a body over 200 KB beside the table, and lets both end after 90 days', async () => {
    const { table, largeBodies, store } = await build();
    await store.put(deadLetter);
    const { Item: item } = await table.documents.send(
      new GetCommand({ TableName: table.tableName, Key: key }),
    );
    expect(item).toMatchObject({ ...key, expiresAt: 1_790_000_001 + 90 * 24 * 60 * 60 });
    expect(item).not.toHaveProperty('body');
    expect(await largeBodies.get(String(item?.bodyKey))).toBe(deadLetter.body);
  });

  it('begins the time of a body anew when its letter fails again', async () => {
    const { table, largeBodies } = await build();
    const renewed: string[] = [];
    const store = createDynamoDeadLetterStore({
      table,
      largeBodies: {
        ...largeBodies,
        async renew(bodyKey) {
          renewed.push(bodyKey);
          await largeBodies.renew(bodyKey);
        },
      },
    });
    await store.put(deadLetter);
    const failed = { version: 4, code: 'NEW', reason: 'still', failedAtMs: deadLetter.failedAtMs + 1_000 };
    await store.failedAgain('task', deadLetter.deadLetterId, failed);
    expect(renewed).toEqual([`dead-letters/task/${deadLetter.deadLetterId}`]);
    expect(await store.get('task', deadLetter.deadLetterId)).toMatchObject({
      ...failed,
      body: deadLetter.body,
    });
  });

  it('names no body that was not written', async () => {
    const { table, store: _ } = await build();
    const largeBodies = {
      put: async () => {
        throw new Error('bucket away');
      },
      get: async () => undefined,
      renew: async () => undefined,
      remove: async () => undefined,
    };
    const store = createDynamoDeadLetterStore({ table, largeBodies });
    await expect(store.put(deadLetter)).rejects.toThrow('bucket away');
    expect(await store.get('task', deadLetter.deadLetterId)).toBeUndefined();
  });

  it('does not know a dead letter whose body has expired', async () => {
    const { table, store } = await build();
    await store.put(deadLetter);
    const nothing = async () => undefined;
    const largeBodies = { put: nothing, get: nothing, renew: nothing, remove: nothing };
    const other = createDynamoDeadLetterStore({ table, largeBodies });
    expect(await other.get('task', deadLetter.deadLetterId)).toBeUndefined();
  });
});
