import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import {
  RocketmqProducer,
  type RocketmqProducerOptions,
} from '../../../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';
import type { RocketmqMessage } from '../../../../lib/domain/messages/message.ts';
import { describeMessageProducer, errorAt, failures, plain } from '../../../contract/message-producer.ts';
import { eventually } from '../../../helpers/eventually.ts';
import {
  type FakeProxy,
  type FakeProxyScript,
  startFakeProxy,
} from '../../../helpers/fake-rocketmq-proxy.ts';

const TOPICS = { normal: { types: ['NORMAL'] }, fifo: { types: ['FIFO'] } } as const;

describeMessageProducer('RocketmqProducer on a scripted proxy', async () => {
  const proxy = await startFakeProxy({ topics: TOPICS });
  const producer = producerAt(proxy);
  return {
    producer,
    normalTopic: 'normal',
    fifoTopic: 'fifo',
    readBack: async (topic) => received(proxy).filter(({ rocketmqTopic }) => rocketmqTopic === topic),
    close: async () => {
      await producer.close();
      proxy.stop();
    },
  };
});

describe('RocketmqProducer', () => {
  const open: { close(): Promise<void> | void }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });

  async function start(
    script: Partial<FakeProxyScript> = {},
    options: Partial<RocketmqProducerOptions> = {},
  ): Promise<{ proxy: FakeProxy; producer: RocketmqProducer }> {
    const proxy = await startFakeProxy({ topics: TOPICS, ...script });
    const producer = producerAt(proxy, options);
    open.push(producer, { close: () => proxy.stop() });
    return { proxy, producer };
  }
  const soon = () => ({ deadlineMs: Date.now() + 5_000 });
  const many = (count: number, rocketmqTopic = 'normal') =>
    Array.from({ length: count }, (_, index) => plain(rocketmqTopic, `${index}`));
  const grouped = (groups: string) =>
    [...groups].map((messageGroup, index) => ({ ...plain('fifo', `${index}`), messageGroup }));

  it('asks for a route once for all who want it, and again after 30 s', async () => {
    const clock = createManualClock(Date.now());
    const { proxy, producer } = await start({}, { clock });
    const send = () => producer.send('normal', many(1), { deadlineMs: clock.now() + 5_000 });
    await Promise.all([send(), send(), send()]);
    expect(proxy.routeQueries).toEqual(['normal']);
    await clock.advance(29_999);
    await send();
    expect(proxy.routeQueries).toHaveLength(1);
    await clock.advance(1);
    await send();
    expect(proxy.routeQueries).toHaveLength(2);
  });

  it('asks for the route again when the cluster contradicts it', async () => {
    const { proxy, producer } = await start({ send: () => ({ code: 40_014, text: 'type mismatch' }) });
    const results = await producer.send('normal', many(3), soon());
    expect(failures(results).map(({ code }) => code)).toEqual(Array(3).fill('TOPIC_TYPE_CHANGED'));
    await producer.send('normal', many(1), soon());
    expect(proxy.routeQueries).toHaveLength(2);
  });

  it('sends 500 messages in 4 requests, and nothing but single messages with multiMessage off', async () => {
    const { proxy, producer } = await start();
    await producer.send('normal', many(500), soon());
    expect(proxy.requests.map(({ length }) => length)).toEqual([125, 125, 125, 125]);
    const singly = await start({}, { multiMessage: 'off' });
    await singly.producer.send('normal', many(70), soon());
    expect(singly.proxy.requests.map(({ length }) => length)).toEqual(Array(70).fill(1));
  });

  it.each([40_007, 50_001])(
    'finds the one message that the cluster alone knows to be bad (status %i)',
    async (code) => {
      const bad = (body: string) => body === '77';
      const { proxy, producer } = await start({
        send: (messages) => {
          const refused = messages.some((message) => bad(textOf(message.getBody_asU8())));
          return refused ? { code, text: 'the message is illegal' } : undefined;
        },
      });
      const results = await producer.send('normal', many(100), soon());
      expect(results.flatMap(({ status }, index) => (status === 'failed' ? [index] : []))).toEqual([77]);
      expect(errorAt(results, 77)).toMatchObject({ reaction: 'dead-letter', scope: 'message' });
      expect(proxy.requests.length).toBeLessThanOrEqual(15);
    },
  );

  it('stays with single messages once a cluster has refused batches as such', async () => {
    const { proxy, producer } = await start({
      send: ({ length }) => (length > 1 ? { code: 40_000, text: 'one message only' } : undefined),
    });
    expect(failures(await producer.send('normal', many(8), soon()))).toEqual([]);
    const before = proxy.requests.length;
    expect(failures(await producer.send('normal', many(8), soon()))).toEqual([]);
    expect(proxy.requests.slice(before).map(({ length }) => length)).toEqual(Array(8).fill(1));
  });

  it('takes the results one by one when the cluster gives one for each message', async () => {
    const { producer } = await start({ send: () => ({ code: 30_000, entries: [20_000, 42_900, 20_000] }) });
    const results = await producer.send('normal', many(3), soon());
    expect(results.map(({ status }) => status)).toEqual(['stored', 'failed', 'stored']);
    expect(errorAt(results, 1)).toMatchObject({ reaction: 'throttle' });
  });

  it('believes no message stored when the results do not fit the messages', async () => {
    const { producer } = await start({ send: () => ({ code: 30_000, entries: [20_000] }) });
    const results = await producer.send('normal', many(3), soon());
    expect(failures(results)).toHaveLength(3);
    expect(errorAt(results, 0)).toMatchObject({ reaction: 'retry', maybeStored: true });
  });

  it('begins nothing more after a throttle', async () => {
    const { proxy, producer } = await start({ send: () => ({ code: 42_900 }) }, { multiMessage: 'off' });
    const results = await producer.send('normal', many(200), soon());
    expect(failures(results).map(({ reaction }) => reaction)).toEqual(Array(200).fill('throttle'));
    expect(proxy.requests.length).toBeLessThanOrEqual(64);
  });

  it('stops only the message group whose message the cluster failed', async () => {
    const { proxy, producer } = await start({
      send: ([message]) =>
        textOf(message?.getBody_asU8()) === '2' ? { code: 50_001, text: 'store failed' } : undefined,
    });
    const results = await producer.send('fifo', grouped('ababab'), soon());
    expect(results.map(({ status }) => status)).toEqual([
      'stored',
      'stored',
      'failed',
      'stored',
      'failed',
      'stored',
    ]);
    expect(errorAt(results, 4)).toMatchObject({ code: 'GROUP_STOPPED', cause: errorAt(results, 2) });
    expect(received(proxy).map(({ body }) => body.toString())).not.toContain('4');
  });

  it('spreads batches over the proxies of a route, and keeps a message group with one of them', async () => {
    const other = await startFakeProxy({ topics: TOPICS });
    const { proxy, producer } = await start();
    open.push({ close: () => other.stop() });
    const endpoints = [proxy.endpoint, other.endpoint];
    proxy.script = {
      topics: { normal: { types: ['NORMAL'], endpoints }, fifo: { types: ['FIFO'], endpoints } },
    };
    await producer.send('normal', many(512), soon());
    expect([proxy.requests.length, other.requests.length]).toEqual([2, 2]);
    await producer.send('fifo', grouped('abcdefgh'.repeat(4)), soon());
    const groups = [proxy, other].map(
      (one) => new Set(received(one).map(({ messageGroup }) => messageGroup)),
    );
    const [here = new Set(), there = new Set()] = groups;
    here.delete(undefined);
    there.delete(undefined);
    expect(here.size + there.size).toBe(8);
    expect(Math.min(here.size, there.size)).toBeGreaterThan(0);
  });

  it('stays with the registered endpoint when the route names one proxy by another address', async () => {
    const { proxy, producer } = await start({
      topics: { normal: { types: ['NORMAL'], endpoints: ['192.0.2.1:8081'] } },
    });
    expect(failures(await producer.send('normal', many(2), soon()))).toEqual([]);
    expect(proxy.requests).toHaveLength(1);
  });

  it('holds messages for a topic without a writable queue', async () => {
    const { producer } = await start({ topics: { normal: { types: ['NORMAL'], permission: 'READ' } } });
    const results = await producer.send('normal', many(1), soon());
    expect(errorAt(results, 0)).toMatchObject({
      reaction: 'hold',
      scope: 'topic',
      code: 'TOPIC_NOT_WRITABLE',
    });
  });

  it('signs each call, and names client and namespace', async () => {
    const credentials = { accessKey: 'key', secretKey: 'secret', securityToken: 'token' };
    const { proxy, producer } = await start({}, { credentials, namespace: 'tenant' });
    await producer.send('normal', many(1), soon());
    for (const metadata of proxy.headers) {
      const dateTime = String(metadata.get('x-mq-date-time')[0]);
      expect(dateTime).toMatch(/^\d{8}T\d{6}Z$/);
      expect(metadata.get('authorization')[0]).toMatch(
        /^MQv2-HMAC-SHA1 Credential=key, SignedHeaders=x-mq-date-time, Signature=[0-9A-F]{40}$/,
      );
      expect(metadata.get('x-mq-session-token')).toEqual(['token']);
      expect(metadata.get('x-mq-namespace')).toEqual(['tenant']);
    }
    expect(new Set(proxy.headers.map((metadata) => metadata.get('x-mq-client-id')[0])).size).toBe(1);
    expect(proxy.requests[0]?.[0]?.getTopic()?.getResourceNamespace()).toBe('tenant');
  });

  describe('when no answer comes', () => {
    it('fails at the deadline, in doubt, and uses another connection next', async () => {
      const { proxy, producer } = await start({ send: () => 'silence' });
      const began = Date.now();
      const results = await producer.send('normal', many(300), { deadlineMs: began + 300 });
      expect(Date.now() - began).toBeLessThan(1_000);
      expect(errorAt(results, 0)).toMatchObject({
        code: 'TARGET_TIMEOUT',
        reaction: 'retry',
        maybeStored: true,
      });
      proxy.script = { topics: TOPICS };
      expect(failures(await producer.send('normal', many(1), soon()))).toEqual([]);
      expect(proxy.peers.size).toBe(2);
    });

    it('says of what was not begun that it is surely not stored', async () => {
      const { producer } = await start({ send: () => 'silence' }, { multiMessage: 'off' });
      const results = await producer.send('normal', many(100), { deadlineMs: Date.now() + 300 });
      expect(failures(results).map(({ maybeStored }) => maybeStored)).toEqual([
        ...Array(64).fill(true),
        ...Array(36).fill(false),
      ]);
    });

    it('gives a connection up that does not come about, and says that nothing was stored', async () => {
      // What a network swallows is never answered: the connection is there for us, and for nobody else.
      const swallowed = createServer((socket) => void socket.on('error', () => undefined).resume());
      swallowed.listen(0, '127.0.0.1');
      await once(swallowed, 'listening');
      const { port } = swallowed.address() as AddressInfo;
      const producer = producerAt({ endpoint: `127.0.0.1:${port}` });
      open.push(producer, { close: () => void swallowed.close() });
      const began = Date.now();
      const results = await producer.send('normal', many(1), { deadlineMs: began + 20_000 });
      // The query for the route has 3 s.
      expect(Date.now() - began).toBeLessThan(5_000);
      expect(errorAt(results, 0)).toMatchObject({ reaction: 'retry', maybeStored: false });
      const connections = promisify(swallowed.getConnections.bind(swallowed));
      await eventually(connections, (left) => left === 0, {
        timeoutMs: 2_000,
        what: 'no socket is left behind',
      });
    });

    it('does not wait for a silent route query beyond the deadline', async () => {
      const { producer } = await start({ route: () => 'silence' });
      const began = Date.now();
      const results = await producer.send('normal', many(1), { deadlineMs: began + 200 });
      expect(Date.now() - began).toBeLessThan(1_000);
      expect(errorAt(results, 0)).toMatchObject({ code: 'TARGET_TIMEOUT', maybeStored: false });
    });
  });

  it('does not trust a connection that was unused for more than a minute', async () => {
    const clock = createManualClock(Date.now());
    const { proxy, producer } = await start({}, { clock });
    const send = () => producer.send('normal', many(1), { deadlineMs: clock.now() + 5_000 });
    await send();
    await clock.advance(60_000);
    await send();
    expect(proxy.peers.size).toBe(1);
    await clock.advance(60_001);
    expect(failures(await send())).toEqual([]);
    expect(proxy.peers.size).toBe(2);
  });

  it('answers that nobody listens, and that nothing was stored', async () => {
    const { proxy, producer } = await start();
    proxy.stop();
    const results = await producer.send('normal', many(1), soon());
    expect(errorAt(results, 0)).toMatchObject({
      code: 'TARGET_UNREACHABLE',
      reaction: 'retry',
      maybeStored: false,
    });
  });
});

function producerAt(
  proxy: Pick<FakeProxy, 'endpoint'>,
  options: Partial<RocketmqProducerOptions> = {},
): RocketmqProducer {
  return new RocketmqProducer({
    endpoint: proxy.endpoint,
    tls: false,
    multiMessage: 'auto',
    clock: systemClock,
    ...options,
  });
}

/** Everything the proxy took, in order of arrival. */
function received(proxy: FakeProxy): RocketmqMessage[] {
  return proxy.requests.flat().map((message) => {
    const system = message.getSystemProperties();
    const tag = system?.hasTag() ? system.getTag() : undefined;
    const messageGroup = system?.hasMessageGroup() ? system.getMessageGroup() : undefined;
    return {
      rocketmqTopic: message.getTopic()?.getName() ?? '',
      body: Buffer.from(message.getBody_asU8()),
      ...(tag === undefined ? {} : { tag }),
      ...(messageGroup === undefined ? {} : { messageGroup }),
      keys: system?.getKeysList() ?? [],
      properties: new Map(message.getUserPropertiesMap().toArray()),
    };
  });
}

function textOf(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString();
}
