import { afterEach, describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createRemotingAdmin } from '../../../../lib/adapters/rocketmq-admin/remoting-admin.ts';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';
import {
  createFakeRemoting,
  type FakeAnswer,
  type SeenRequest,
} from '../../../helpers/fake-remoting-server.ts';

const remoting = createFakeRemoting();
afterEach(() => remoting.close());

type Script = (request: SeenRequest, place: 'name server' | number) => FakeAnswer | undefined;

async function scripted(script: Script, masters = 1, clock = systemClock) {
  const { nameServer, seen } = await remoting.startCluster(script, masters);
  const codes = () => seen.map(({ code }) => code);
  return { admin: createRemotingAdmin({ nameServer, clock }), seen, codes };
}

const NO_TOPIC = { code: 17, remark: 'No topic' };
const configOf = (topicName: string, type: string | undefined, readQueueNums: number) => ({
  topicName,
  readQueueNums,
  attributes: type === undefined ? {} : { 'message.type': type },
});
const tableOf = (...configs: ReturnType<typeof configOf>[]) => ({
  code: 0,
  body: JSON.stringify({
    topicConfigTable: Object.fromEntries(configs.map((config) => [config.topicName, config])),
  }),
});
const json = (value: unknown) => ({ code: 0, body: JSON.stringify(value) });

describe('listTopics', () => {
  it('joins what the masters have, and leaves out what is not a user’s', async () => {
    const system = ['%RETRY%billing', '%DLQ%billing', 'rmq_sys_wheel_timer', 'TBW102', 'SELF_TEST_TOPIC'];
    const named = ['DefaultCluster', 'DefaultCluster_REPLY_TOPIC', 'broker-0', 'broker-1'];
    const { admin } = await scripted(({ code }, place) => {
      if (code !== 21) return undefined;
      const others = [...system, ...named].map((topic) => configOf(topic, undefined, 1));
      return place === 0
        ? tableOf(configOf('orders', 'FIFO', 4), configOf('mixed', 'NORMAL', 1), ...others)
        : tableOf(
            configOf('orders', 'FIFO', 8),
            configOf('mixed', 'FIFO', 1),
            configOf('paid', 'TRANSACTION', 2),
          );
    }, 2);
    expect(await admin.listTopics()).toEqual([
      { topic: 'orders', type: 'FIFO', queues: 8 },
      { topic: 'mixed', type: 'UNSPECIFIED', queues: 1 },
      { topic: 'paid', type: 'UNSPECIFIED', queues: 2 },
    ]);
  });

  it('fails when no broker has registered', async () => {
    const { admin } = await scripted(() => undefined, 0);
    await expect(admin.listTopics()).rejects.toMatchObject({ code: 'ADMIN_NO_BROKER', reaction: 'retry' });
  });

  it('does not believe an answer of another form', async () => {
    const { admin } = await scripted(({ code }) => (code === 21 ? json([]) : undefined));
    await expect(admin.listTopics()).rejects.toMatchObject({ code: 'ADMIN_ADDRESS_INVALID' });
  });
});

describe('createTopic', () => {
  const spec = { topic: 'orders', type: 'FIFO', queues: 8 } as const;

  it('creates it on each master that lacks it, and waits until the name server knows the route', async () => {
    let asked = 0;
    const { admin, seen } = await scripted(({ code }, place) => {
      if (code === 351) return place === 0 ? NO_TOPIC : json(configOf('orders', 'FIFO', 8));
      if (code !== 105) return undefined;
      asked += 1;
      return asked < 3 ? NO_TOPIC : undefined;
    }, 2);
    expect(await admin.createTopic(spec)).toEqual(spec);
    expect(asked).toBe(3);
    const creations = seen.filter(({ code }) => code === 17).map(({ extFields }) => extFields);
    expect(creations).toEqual([
      expect.objectContaining({
        topic: 'orders',
        readQueueNums: '8',
        writeQueueNums: '8',
        attributes: '+message.type=FIFO',
      }),
    ]);
  });

  it('gives up in time when the route does not come', async () => {
    const clock = createManualClock();
    const { admin } = await scripted(
      ({ code }) => ([105, 351].includes(code) ? NO_TOPIC : undefined),
      1,
      clock,
    );
    const refused = expect(admin.createTopic(spec)).rejects.toMatchObject({ code: 'ADMIN_TIMEOUT' });
    await clock.whenSleeping(1);
    await clock.advance(8_001);
    await refused;
  });

  it("fails with the broker's own words", async () => {
    const { admin } = await scripted(({ code }) => {
      if (code === 351) return NO_TOPIC;
      return code === 17 ? { code: 29, remark: 'name is too long' } : undefined;
    });
    await expect(admin.createTopic(spec)).rejects.toThrow(/answered 29: .*\("name is too long"\)/);
  });

  it('says nothing of the user whom a broker refuses', async () => {
    const remark = 'User:rmq-admin has no permission to access Topic:orders from 10.0.0.7';
    const { admin } = await scripted(({ code }) => (code === 351 ? { code: 16, remark } : undefined));
    const error = await admin.createTopic(spec).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ACCESS_DENIED' });
    expect(String(error)).not.toMatch(/rmq-admin|10\.0\.0\.7/);
  });
});

describe('ensureGroup', () => {
  it('makes the group on every master, in the form that was asked for', async () => {
    const { admin, seen } = await scripted(() => undefined, 2);
    await admin.ensureGroup({ consumerGroup: 'billing', isOrderly: true, retryMaxTimes: 1_000 });
    const bodies = seen.filter(({ code }) => code === 200).map(({ body }) => JSON.parse(body.toString()));
    const form = { groupName: 'billing', consumeMessageOrderly: true, retryMaxTimes: 1_000 };
    expect(bodies).toEqual([expect.objectContaining(form), expect.objectContaining(form)]);
  });
});

describe('resetPosition', () => {
  it.each([
    { position: 'latest', timestamp: '-1' },
    { position: 'earliest', timestamp: '0' },
    { position: { timestampMs: 1_700_000_000_000 }, timestamp: '1700000000000' },
  ] as const)(
    'moves all queues of every broker of the topic to $timestamp',
    async ({ position, timestamp }) => {
      const { admin, seen } = await scripted(() => undefined, 2);
      await admin.resetPosition({ rocketmqTopic: 'orders', consumerGroup: 'billing', position });
      const moves = seen.filter(({ code }) => code === 222).map(({ extFields }) => extFields);
      const move = { topic: 'orders', group: 'billing', timestamp, queueId: '-1' };
      expect(moves).toEqual([expect.objectContaining(move), expect.objectContaining(move)]);
    },
  );
});

describe('lag', () => {
  const of = { rocketmqTopic: 'orders', consumerGroup: 'billing' };
  const queue = (queueId: number) => `{"brokerName":"broker-0","queueId":${queueId},"topic":"orders"}`;
  const consumed = (queueId: number, brokerOffset: number, consumerOffset: number, lastTimestamp = 0) =>
    `${queue(queueId)}:{"brokerOffset":${brokerOffset},"consumerOffset":${consumerOffset},"lastTimestamp":${lastTimestamp}}`;
  const statistics = (...queues: string[]) => ({ code: 0, body: `{"offsetTable":{${queues.join()}}}` });
  const storedAt = (timeMs: number, isIpv6 = false) => {
    const message = Buffer.alloc(200);
    message.writeInt32BE(isIpv6 ? 0x10 : 0, 36);
    message.writeBigInt64BE(BigInt(timeMs), isIpv6 ? 68 : 56);
    return { code: 0, body: message };
  };

  it('does not count what was deleted unread', async () => {
    const { admin } = await scripted(({ code }) => {
      if (code === 208) return statistics(consumed(0, 1_000, 0), consumed(1, 10, 4));
      if (code === 202) return statistics(`${queue(0)}:{"minOffset":990}`, `${queue(1)}:{"minOffset":0}`);
      return code === 11 ? { code: 19, remark: 'not found' } : undefined;
    });
    expect(await admin.lag(of)).toEqual({ messages: 16, read: { position: 4, queues: 2 } });
  });

  it('looks at the oldest unread message of each queue, with a group of the tools', async () => {
    const { admin, seen } = await scripted(({ code, extFields }) => {
      if (code === 208) return statistics(consumed(0, 5, 2), consumed(1, 9, 8), consumed(2, 4, 4));
      if (code === 202) return statistics();
      return code === 11 ? storedAt(extFields.queueId === '0' ? 5_000 : 3_000) : undefined;
    });
    expect(await admin.lag(of)).toEqual({
      messages: 4,
      oldestStoredAtMs: 3_000,
      read: { position: 14, queues: 3 },
    });
    const looks = seen.filter(({ code }) => code === 11).map(({ extFields }) => extFields);
    expect(
      looks.map(({ consumerGroup, queueId, queueOffset }) => [consumerGroup, queueId, queueOffset]),
    ).toEqual(
      expect.arrayContaining([
        ['TOOLS_CONSUMER', '0', '2'],
        ['TOOLS_CONSUMER', '1', '8'],
      ]),
    );
    expect(looks).toHaveLength(2);
  });

  it('looks at few messages of a topic of many queues: where nothing was read for longest', async () => {
    const queues = Array.from({ length: 40 }, (_, id) => consumed(id, 1, 0, 10_000 - id));
    const { admin, seen } = await scripted(({ code }) => {
      if (code === 208) return statistics(...queues);
      if (code === 202) return statistics();
      return code === 11 ? storedAt(7_000, true) : undefined;
    });
    expect(await admin.lag(of)).toEqual({
      messages: 40,
      oldestStoredAtMs: 7_000,
      read: { position: 0, queues: 40 },
    });
    const looked = seen.filter(({ code }) => code === 11).map(({ extFields }) => Number(extFields.queueId));
    expect(looked.sort((a, b) => a - b)).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
  });

  it.each<FakeAnswer>([
    { code: 16, remark: 'User:x has no permission' },
    { code: 0, body: 'short' },
    'hang up',
  ])('tells the count alone when the broker does not let it look: %j', async (answer) => {
    const { admin } = await scripted(({ code }) => {
      if (code === 208) return statistics(consumed(0, 5, 2));
      if (code === 202) return statistics();
      return code === 11 ? answer : undefined;
    });
    expect(await admin.lag(of)).toEqual({ messages: 3, read: { position: 2, queues: 1 } });
  });
});
