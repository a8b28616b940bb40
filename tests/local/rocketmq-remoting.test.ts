import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { remotingCall } from '../../local/rocketmq-remoting.ts';
import { deleteTopic, ensureGroup, ensureTopic } from '../../local/rocketmq-topics.ts';

interface Request {
  code: number;
  extFields: Record<string, string>;
  body: Buffer;
}
type Answer = { code: number; remark?: string; body?: string | Buffer } | 'hang up';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Speaks the remoting protocol as a name server and broker; answers in two pieces, as a network may. */
async function startServer(answer: (request: Request) => Answer): Promise<string> {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (frame: Buffer) => {
      const headerLength = frame.readInt32BE(4);
      const header = JSON.parse(frame.toString('utf8', 8, 8 + headerLength));
      expect(frame.readInt32BE(0)).toBe(frame.length - 4);
      const result = answer({ ...header, body: frame.subarray(8 + headerLength) });
      if (result === 'hang up') return socket.destroy();
      const { body = '', ...fields } = result;
      const head = Buffer.from(JSON.stringify(fields));
      const payload = Buffer.from(body);
      const reply = Buffer.alloc(8);
      reply.writeInt32BE(4 + head.length + payload.length, 0);
      reply.writeInt32BE(head.length, 4);
      const bytes = Buffer.concat([reply, head, payload]);
      socket.write(bytes.subarray(0, 6));
      socket.write(bytes.subarray(6));
      return undefined;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A cluster of one broker, which is its own name server. */
async function startCluster(answer: (request: Request) => Answer | undefined) {
  const seen: Request[] = [];
  const address: string = await startServer((request) => {
    seen.push(request);
    // Broker ids come as bare numbers, which is no JSON.
    const clusterInfo = `{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"${address}",1:"127.0.0.1:1"}}}}`;
    return answer(request) ?? (request.code === 106 ? { code: 0, body: clusterInfo } : { code: 0 });
  });
  return { seen, admin: { nameServer: address } };
}

describe('remotingCall', () => {
  it('sends code, fields and body, and gives the answer', async () => {
    const address = await startServer(({ code, extFields, body }) => ({
      code: 0,
      remark: `${code} ${extFields.topic}`,
      body,
    }));
    const answer = await remotingCall(address, {
      code: 17,
      fields: { topic: 't' },
      body: Buffer.from('bytes'),
    });
    expect(answer).toMatchObject({ code: 0, remark: '17 t' });
    expect(answer.body.toString()).toBe('bytes');
  });

  it('signs the fields in the order of their names, then the body', async () => {
    const address = await startServer(({ extFields }) => ({ code: 0, body: JSON.stringify(extFields) }));
    const { body } = await remotingCall(
      address,
      { code: 1, fields: { zone: 'z', alpha: 'a' }, body: Buffer.from('payload') },
      { accessKey: 'user', secretKey: 'secret' },
    );
    const expected = createHmac('sha1', 'secret').update('userazpayload').digest('base64');
    expect(JSON.parse(body.toString())).toEqual({
      zone: 'z',
      alpha: 'a',
      AccessKey: 'user',
      Signature: expected,
    });
  });

  it('fails when the other side hangs up', async () => {
    const address = await startServer(() => 'hang up');
    await expect(remotingCall(address, { code: 1 })).rejects.toThrow(`RocketMQ at ${address}`);
  });

  it('fails when nobody listens', async () => {
    const address = await startServer(() => ({ code: 0 }));
    servers.splice(0).map((server) => server.close());
    await expect(remotingCall(address, { code: 1 })).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('ensureTopic', () => {
  it('creates the topic on the master and waits until the name server knows its route', async () => {
    let asked = 0;
    const { seen, admin } = await startCluster(({ code }) => {
      if (code !== 105) return undefined;
      asked += 1;
      return asked < 3 ? { code: 17, remark: 'No topic route info' } : { code: 0 };
    });
    await ensureTopic(admin, { topic: 'orders', type: 'FIFO', queues: 8 });
    expect(asked).toBe(3);
    expect(seen.find(({ code }) => code === 17)?.extFields).toMatchObject({
      topic: 'orders',
      readQueueNums: '8',
      writeQueueNums: '8',
      attributes: '+message.type=FIFO',
    });
  });

  it("fails with the broker's own words", async () => {
    const { admin } = await startCluster(({ code }) =>
      code === 17 ? { code: 16, remark: 'check signature failed' } : undefined,
    );
    await expect(ensureTopic(admin, { topic: 'orders' })).rejects.toThrow(/with 16: check signature failed/);
  });

  it('fails when no broker has registered', async () => {
    const { admin } = await startCluster(({ code }) =>
      code === 106 ? { code: 0, body: '{"brokerAddrTable":{}}' } : undefined,
    );
    await expect(ensureTopic(admin, { topic: 'orders' })).rejects.toThrow('no broker has registered');
  });
});

describe('ensureGroup', () => {
  it('creates an orderly group when asked to', async () => {
    const { seen, admin } = await startCluster(() => undefined);
    await ensureGroup(admin, { group: 'billing', orderly: true, retryMaxTimes: 1000 });
    const body = seen.find(({ code }) => code === 200)?.body.toString() ?? '';
    expect(JSON.parse(body)).toMatchObject({
      groupName: 'billing',
      consumeMessageOrderly: true,
      retryMaxTimes: 1000,
    });
  });
});

describe('deleteTopic', () => {
  it('deletes at broker and name server', async () => {
    const { seen, admin } = await startCluster(() => undefined);
    await deleteTopic(admin, 'orders');
    expect(seen.map(({ code }) => code)).toEqual([106, 215, 216]);
  });
});
