import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BridgeError } from '../../lib/domain/errors/errors.ts';
import { checkMessage } from '../../lib/domain/messages/checked-message.ts';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';
import { checkRocketmqMessage, MAX_BODY_BYTES } from '../../lib/domain/messages/rocketmq-limits.ts';
import type { MessageProducer, SendResult } from '../../lib/ports/message-producer.ts';

export interface ProducerUnderTest {
  producer: MessageProducer;
  /** Topics of their type with nothing in them. */
  normalTopic: string;
  fifoTopic: string;
  /** What is stored in a topic once `count` messages are there, those of one message group in order. */
  readBack(rocketmqTopic: string, count: number): Promise<RocketmqMessage[]>;
  close(): Promise<void>;
}

/** What every producer promises. `build` is called for each test. */
export function describeMessageProducer(name: string, build: () => Promise<ProducerUnderTest>): void {
  describe(`MessageProducer, ${name}`, () => {
    let under: ProducerUnderTest;

    beforeEach(async () => {
      under = await build();
    });
    afterEach(() => under.close());

    const send = (rocketmqTopic: string, messages: readonly RocketmqMessage[]) =>
      under.producer.send(rocketmqTopic, messages, { deadlineMs: Date.now() + 20_000 });

    it('stores a NORMAL batch with body, tag, keys and properties as given, and answers an id for each', async () => {
      const messages = sampleMessages(under.normalTopic, 30);
      const results = await send(under.normalTopic, messages);
      expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
      expect(new Set(idsOf(results)).size).toBe(messages.length);
      expectSame(await under.readBack(under.normalTopic, messages.length), messages);
    });

    it('tells whether the topic is there, and sends nothing', async () => {
      const soon = () => Date.now() + 20_000;
      await under.producer.check(under.normalTopic, soon());
      await under.producer.check(under.fifoTopic, soon());
      const unknown = under.producer.check('nobody_made_this', soon());
      await expect(unknown).rejects.toMatchObject({
        code: 'TOPIC_NOT_FOUND',
        reaction: 'hold',
        scope: 'topic',
      });
      await expect(under.producer.check(under.normalTopic, Date.now() - 1)).rejects.toMatchObject({
        code: 'DEADLINE_PASSED',
      });
    });

    it('stores 500 messages of many shapes', async () => {
      const messages = sampleMessages(under.normalTopic, 500);
      expect(failures(await send(under.normalTopic, messages))).toEqual([]);
      expectSame(await under.readBack(under.normalTopic, messages.length), messages);
    });

    it('keeps the order of each message group of a FIFO topic', async () => {
      const messages = Array.from({ length: 120 }, (_, index) => ({
        ...plain(under.fifoTopic, `${index}`),
        messageGroup: `station-${index % 7}`,
      }));
      expect(failures(await send(under.fifoTopic, messages))).toEqual([]);
      const stored = await under.readBack(under.fifoTopic, messages.length);
      const bodies = (list: readonly RocketmqMessage[]) =>
        Object.fromEntries(
          [...Map.groupBy(list, ({ messageGroup }) => messageGroup ?? '')].map(([group, members]) => [
            group,
            members.map(({ body }) => body.toString()),
          ]),
        );
      expect(bodies(stored)).toEqual(bodies(messages));
    });

    it.each<{ what: string; change: Partial<RocketmqMessage>; code: string }>([
      { what: 'an empty body', change: { body: Buffer.alloc(0) }, code: 'BODY_EMPTY' },
      {
        what: 'a body too large',
        change: { body: Buffer.alloc(MAX_BODY_BYTES + 1) },
        code: 'BODY_TOO_LARGE',
      },
      { what: 'a tag with "|"', change: { tag: 'a|b' }, code: 'TAG_INVALID' },
      {
        what: 'a reserved property',
        change: { properties: new Map([['KEYS', 'x']]) },
        code: 'PROPERTY_INVALID',
      },
      {
        what: 'too many properties',
        change: { properties: new Map(Array.from({ length: 129 }, (_, index) => [`p${index}`, 'v'])) },
        code: 'PROPERTIES_TOO_LARGE',
      },
    ])(
      'fails only the message with $what among many, if all were checked before it was changed',
      async ({ change, code }) => {
        const messages = sampleMessages(under.normalTopic, 40).map(checked);
        const bad = 17;
        const mixed = messages.map((message, index) => (index === bad ? { ...message, ...change } : message));
        const results = await send(under.normalTopic, mixed);
        expect(results.map(({ status }) => status)).toEqual(
          messages.map((_, index) => (index === bad ? 'failed' : 'stored')),
        );
        expect(errorAt(results, bad)).toMatchObject({ reaction: 'dead-letter', scope: 'message', code });
        expectSame(
          await under.readBack(under.normalTopic, messages.length - 1),
          messages.filter((_, index) => index !== bad),
        );
      },
    );

    it('stops the message group of a bad message, and no other', async () => {
      const messages = ['a', 'b', 'a', 'a', 'b'].map((messageGroup, index) => ({
        ...plain(under.fifoTopic, `${index}`),
        messageGroup,
        ...(index === 2 ? { tag: 'a|b' } : {}),
      }));
      const results = await send(under.fifoTopic, messages);
      expect(results.map(({ status }) => status)).toEqual(['stored', 'stored', 'failed', 'failed', 'stored']);
      expect(errorAt(results, 2)).toMatchObject({ reaction: 'dead-letter', code: 'TAG_INVALID' });
      expect(errorAt(results, 3)).toMatchObject({
        reaction: 'retry',
        code: 'GROUP_STOPPED',
        maybeStored: false,
        cause: errorAt(results, 2),
      });
      const stored = await under.readBack(under.fifoTopic, 3);
      expect(stored.map(({ body }) => body.toString()).sort()).toEqual(['0', '1', '4']);
    });

    it('stores 10 MiB in one call, more than one request can carry', async () => {
      const messages = Array.from({ length: 40 }, (_, index) => ({
        ...plain(under.normalTopic, ''),
        body: Buffer.alloc(256 * 1024, index),
      }));
      expect(failures(await send(under.normalTopic, messages))).toEqual([]);
      expectSame(await under.readBack(under.normalTopic, messages.length), messages);
    });

    it('stores the largest body', async () => {
      const message = { ...plain(under.normalTopic, ''), body: Buffer.alloc(MAX_BODY_BYTES, 'x') };
      expect(failures(await send(under.normalTopic, [message]))).toEqual([]);
      expectSame(await under.readBack(under.normalTopic, 1), [message]);
    });

    it('holds every message of a topic that does not exist', async () => {
      const topic = `${under.normalTopic}_missing`;
      const results = await send(topic, [plain(topic, 'a'), plain(topic, 'b')]);
      for (const error of failures(results)) {
        expect(error).toMatchObject({ reaction: 'hold', scope: 'topic', code: 'TOPIC_NOT_FOUND' });
      }
      expect(failures(results)).toHaveLength(2);
    });

    it('holds messages whose type is not the one of the topic', async () => {
      const mismatch = { reaction: 'hold', scope: 'topic', code: 'TOPIC_TYPE_CHANGED', maybeStored: false };
      const grouped = { ...plain(under.normalTopic, 'a'), messageGroup: 'group' };
      expect(errorAt(await send(under.normalTopic, [grouped]), 0)).toMatchObject(mismatch);
      expect(errorAt(await send(under.fifoTopic, [plain(under.fifoTopic, 'a')]), 0)).toMatchObject(mismatch);
    });

    it('begins nothing when the deadline has passed', async () => {
      const results = await under.producer.send(under.normalTopic, [plain(under.normalTopic, 'late')], {
        deadlineMs: Date.now() - 1,
      });
      expect(errorAt(results, 0)).toMatchObject({
        reaction: 'retry',
        code: 'DEADLINE_PASSED',
        maybeStored: false,
      });
    });

    it('answers nothing for nothing', async () => {
      expect(await send(under.normalTopic, [])).toEqual([]);
    });

    it('throws for a message of another topic, and once closed', async () => {
      await expect(send(under.normalTopic, [plain(under.fifoTopic, 'x')])).rejects.toThrow(TypeError);
      await under.producer.close();
      await expect(send(under.normalTopic, [plain(under.normalTopic, 'x')])).rejects.toThrow('closed');
    });
  });
}

/** A message with nothing but a body. */
export function plain(rocketmqTopic: string, body: string): RocketmqMessage {
  return { rocketmqTopic, body: Buffer.from(body), keys: [], properties: new Map() };
}

/** The error of one message; fails the test when it was stored. */
export function errorAt(results: readonly SendResult[], place: number): BridgeError {
  const result = results[place];
  if (result?.status !== 'failed') throw new Error(`message ${place} did not fail`);
  return result.error;
}

export function failures(results: readonly SendResult[]): BridgeError[] {
  return results.flatMap((result) => (result.status === 'failed' ? [result.error] : []));
}

/** The same messages, whatever their order. */
export function expectSame(stored: readonly RocketmqMessage[], sent: readonly RocketmqMessage[]): void {
  expect(stored.map(asText).sort()).toEqual(sent.map(asText).sort());
}

/** Always the same `count` messages: bodies of any bytes, names and values of any Unicode that RocketMQ carries. */
function sampleMessages(rocketmqTopic: string, count: number): RocketmqMessage[] {
  const carried = fc
    .oneof(
      fc.string({ minLength: 1, maxLength: 40 }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    )
    .filter((text) => text.trim() !== '');
  const message = fc
    .record(
      {
        rocketmqTopic: fc.constant(rocketmqTopic),
        body: fc.uint8Array({ minLength: 1, maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
        tag: carried,
        keys: fc.array(carried, { maxLength: 3 }),
        properties: fc
          .array(fc.tuple(carried, carried), { maxLength: 14 })
          .map((entries) => new Map(entries)),
      },
      { requiredKeys: ['rocketmqTopic', 'body', 'keys', 'properties'] },
    )
    .filter((candidate) => checkRocketmqMessage(candidate) === undefined);
  return fc.sample(message, { numRuns: count, seed: 20_261_123 });
}

function checked(message: RocketmqMessage): RocketmqMessage {
  const result = checkMessage(message);
  if (result instanceof Error) throw result;
  return result;
}

function idsOf(results: readonly SendResult[]): string[] {
  return results.flatMap((result) => (result.status === 'stored' ? [result.messageId] : []));
}

function asText({ body, tag, keys, messageGroup, properties }: RocketmqMessage): string {
  const entries = [...properties].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([body.toString('base64'), tag ?? '', keys, messageGroup ?? '', entries]);
}
