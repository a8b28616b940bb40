import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startPublishRelay } from '../../faults/publish-relay.ts';
import { startTableRelay } from '../../faults/table-relay.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type RelayedConnection, startRelay } from '../../helpers/relay.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

/** Both ends of one connection through a relay. */
async function relayed() {
  const server = createServer();
  const port = await listening(server);
  const heard: RelayedConnection[] = [];
  const relay = await startRelay(port, (connection) => heard.push(connection));
  closing.push(() => relay.close());
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect(relay.port, '127.0.0.1');
  const [broker] = await accepted;
  // The relay's end may be a reset.
  for (const socket of [client, broker]) socket.on('error', () => undefined);
  return { relay, client, broker, heard };
}

const said = async (by: Socket, to: Socket, text: string): Promise<string> => {
  const heard = once(to, 'data') as Promise<[Buffer]>;
  by.write(text);
  const [chunk] = await heard;
  return chunk.toString();
};

describe('startRelay', () => {
  it('carries both ways, and shows who wants to listen', async () => {
    const { client, broker, heard } = await relayed();
    expect(await said(client, broker, 'connect')).toBe('connect');
    expect(await said(broker, client, 'connack')).toBe('connack');
    expect(heard).toHaveLength(1);
  });

  it.each([
    ['clients', 'client', 'broker'],
    ['broker', 'broker', 'client'],
  ] as const)('mutes %s, who is still told everything', async (side, mute, other) => {
    const ends = await relayed();
    await said(ends.client, ends.broker, 'connect');
    ends.relay.mute(side);
    let isHeard = false;
    ends[other].on('data', () => {
      isHeard = true;
    });
    ends[mute].write('lost');
    expect(await said(ends[other], ends[mute], 'arrives')).toBe('arrives');
    expect(isHeard).toBe(false);
  });

  it('mutes one client on demand', async () => {
    const { client, broker, heard } = await relayed();
    await said(client, broker, 'connect');
    heard[0]?.muteClient();
    let isHeard = false;
    broker.on('data', () => {
      isHeard = true;
    });
    client.write('lost');
    expect(await said(broker, client, 'arrives')).toBe('arrives');
    expect(isHeard).toBe(false);
  });
});

/** An endpoint that answers with the path it was asked for. */
async function endpoint(): Promise<string> {
  const server = createHttpServer((incoming, outgoing) => outgoing.end(incoming.url));
  return `http://127.0.0.1:${await listening(server)}`;
}

const emulatorAt = (url: string) => ({
  endpoint: url,
  region: 'eu-west-1',
  credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
});

const post = async (url: string, signal?: AbortSignal) => {
  const answer = await fetch(url, { method: 'POST', body: 'x', ...(signal === undefined ? {} : { signal }) });
  return { status: answer.status, text: await answer.text() };
};

describe('startPublishRelay', () => {
  it('holds the first message that is published, and forwards everything else', async () => {
    const relay = await startPublishRelay(await endpoint());
    closing.push(() => relay.close());
    const held = `${relay.url}/topics/faults%2Fline1%2F1?qos=1`;
    expect((await post(held)).text).toBe('/topics/faults%2Fline1%2F1?qos=1');
    relay.begin();
    expect((await post(`${relay.url}/things`)).text).toBe('/things');
    const gone = new AbortController();
    const waiting = post(held, gone.signal);
    const other = await post(`${relay.url}/topics/faults%2Fline1%2F12?qos=1`);
    expect(other.text).toBe('/topics/faults%2Fline1%2F12?qos=1');
    expect(relay.attempts).toBe(1);
    gone.abort();
    await expect(waiting).rejects.toThrow();
    relay.end();
    expect((await post(held)).status).toBe(200);
    expect(relay.attempts).toBe(1);
  });
});

describe('startPublishRelay, as a witness', () => {
  it('tells what was accepted, and nothing that was refused or is no message', async () => {
    const server = createHttpServer((incoming, outgoing) => {
      incoming.resume();
      outgoing.writeHead(incoming.url?.includes('refused') === true ? 500 : 200).end();
    });
    const relay = await startPublishRelay(`http://127.0.0.1:${await listening(server)}`);
    closing.push(() => relay.close());
    const accepted: [string, string][] = [];
    const stop = relay.onAccepted((topicName, payload) => accepted.push([topicName, `${payload}`]));
    await post(`${relay.url}/topics/faults%2Fline%201%2F7?qos=1`);
    await post(`${relay.url}/topics/refused?qos=1`);
    await post(`${relay.url}/things/topics/a`);
    expect(accepted).toEqual([['faults/line 1/7', 'x']]);
    stop();
    await post(`${relay.url}/topics/faults%2Fline1%2F8?qos=1`);
    expect(accepted).toHaveLength(1);
  });
});

describe('startPublishRelay, with the data plane away', () => {
  it.each(['topics/a%2Fb?qos=1', 'retainedMessage/mqferry%2Fcheck'])(
    'swallows and resets %s, nothing else',
    async (path) => {
      const relay = await startPublishRelay(await endpoint());
      closing.push(() => relay.close());
      relay.swallow();
      expect((await post(`${relay.url}/2015-03-31/functions`)).status).toBe(200);
      const gone = new AbortController();
      const waiting = post(`${relay.url}/${path}`, gone.signal);
      await eventually(
        async () => relay.refused,
        (refused) => refused === 1,
        { timeoutMs: 2_000, everyMs: 5, what: 'the request is swallowed' },
      );
      gone.abort();
      await expect(waiting).rejects.toThrow('abort');
      relay.reset();
      await expect(post(`${relay.url}/${path}`)).rejects.toThrow('fetch failed');
      relay.heal();
      expect((await post(`${relay.url}/${path}`)).status).toBe(200);
      expect(relay.refused).toBe(2);
    },
  );
});

describe('startTableRelay', () => {
  it('throttles, goes away and heals', async () => {
    const relay = await startTableRelay(emulatorAt(await endpoint()));
    closing.push(() => relay.close());
    expect(await post(`${relay.url}/table`)).toEqual({ status: 200, text: '/table' });
    relay.throttle(1);
    const throttled = await post(`${relay.url}/table`);
    expect(throttled.status).toBe(400);
    expect(throttled.text).toContain('ProvisionedThroughputExceededException');
    relay.goAway();
    await expect(post(`${relay.url}/table`)).rejects.toThrow();
    relay.heal();
    expect((await post(`${relay.url}/table`)).status).toBe(200);
  });

  it('carries out what was tampered with, under a signature of its own', async () => {
    const asked: { authorization?: string | undefined; length: number; body: unknown }[] = [];
    const server = createHttpServer((incoming, outgoing) => {
      const { authorization, 'content-length': length } = incoming.headers;
      json(incoming).then(
        (body) => {
          asked.push({ authorization, length: Number(length), body });
          outgoing.setHeader('content-type', 'application/x-amz-json-1.0');
          const refused = (body as { ConditionExpression?: string }).ConditionExpression === 'refused';
          if (!refused) return outgoing.end(JSON.stringify({ Attributes: { n: { N: '1' } } }));
          const __type = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException';
          return outgoing.writeHead(400).end(JSON.stringify({ __type, Item: { w_a: { N: '7' } } }));
        },
        () => outgoing.destroy(),
      );
    });
    const url = `http://127.0.0.1:${await listening(server)}`;
    const relay = await startTableRelay(emulatorAt(url));
    closing.push(() => relay.close());
    relay.tamper((update) =>
      update.UpdateExpression === 'lost' ? 'lost' : { ...update, UpdateExpression: 'other, and longer' },
    );
    const update = { TableName: 't', Key: { PK: { S: 'p' }, SK: { S: 's' } } };
    const ask = async (operation: string, more: Record<string, unknown>) => {
      const headers = { 'x-amz-target': `DynamoDB_20120810.${operation}`, authorization: 'of the sender' };
      const body = JSON.stringify({ ...update, ...more });
      const answer = await fetch(relay.url, { method: 'POST', headers, body });
      return { status: answer.status, body: await answer.json() };
    };
    expect(await ask('UpdateItem', { UpdateExpression: 'lost' })).toEqual({ status: 200, body: {} });
    expect(asked).toEqual([]);
    const done = { status: 200, body: { Attributes: { n: { N: '1' } } } };
    expect(await ask('UpdateItem', { UpdateExpression: 'some' })).toEqual(done);
    const changed = { ...update, UpdateExpression: 'other, and longer' };
    expect(asked).toEqual([
      {
        authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=key\/.*content-length/),
        length: JSON.stringify(changed).length,
        body: changed,
      },
    ]);
    expect(await ask('UpdateItem', { ConditionExpression: 'refused' })).toMatchObject({
      status: 400,
      body: { __type: expect.stringContaining('ConditionalCheckFailed'), Item: { w_a: { N: '7' } } },
    });
    expect(await ask('GetItem', { UpdateExpression: 'lost' })).toEqual(done);
    expect(asked.at(-1)).toMatchObject({ authorization: 'of the sender' });
    relay.heal();
    await ask('UpdateItem', { UpdateExpression: 'lost' });
    expect(asked.at(-1)).toMatchObject({
      authorization: 'of the sender',
      body: { UpdateExpression: 'lost' },
    });
  });
});
