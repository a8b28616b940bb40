import { Duplex } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MalformedPacketError, type Publish, readPublish } from '../../lib/adapters/mqtt/session-publish.ts';
import { SessionStream } from '../../lib/adapters/mqtt/session-stream.ts';
import { textOf } from '../../lib/adapters/mqtt/session-text.ts';
import { HeldDelivery, SessionWindow } from '../../lib/adapters/mqtt/session-window.ts';
import { BridgeError } from '../../lib/domain/errors/errors.ts';
import type { MqttMessage } from '../../lib/domain/messages/message.ts';
import { createMqttToRocketmqMapper } from '../../lib/mapping/mqtt-to-rocketmq.ts';
import { packetOf, publishPacket } from '../helpers/mqtt-packets.ts';
import { corpusOf, FUZZ, hostileBytes } from '../helpers/mutations.ts';
import { toRocketmq } from '../lib/mapping/definitions.ts';
import { failure } from '../lib/mapping/failure.ts';

const TASK_ID = '01JDAB3C4D5E6F7G8H9JKMNPQR';
const SECRET = 'pLaNtEd';
const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constant(SECRET));
const bytes = fc.uint8Array({ maxLength: 80 }).map((data) => Buffer.from(data));
const messages: fc.Arbitrary<MqttMessage> = fc.record(
  {
    topicName: fc.constantFrom('stations/4711/status', 'a', 'ä/ö'),
    payload: bytes,
    qos: fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2),
    retain: fc.boolean(),
    userProperties: fc.array(fc.tuple(text, text), { maxLength: 4 }),
    contentType: text,
    responseTopic: text,
    correlationData: bytes,
    payloadFormat: fc.constantFrom<(0 | 1)[]>(0, 1),
    expirySeconds: fc.nat(),
  },
  { requiredKeys: ['topicName', 'payload', 'qos', 'retain', 'userProperties'] },
);
const publishes = (protocolVersion: 4 | 5) =>
  corpusOf(
    fc
      .record({
        message: messages,
        packetId: fc.integer({ min: 1, max: 0xffff }),
        dup: fc.boolean(),
        subscriptionIdentifiers: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 2 }),
      })
      .map((fields) => publishPacket({ ...fields, protocolVersion })),
  );
const filterIndexes = new Map([
  [7, 1],
  [300, 2],
]);
const map = createMqttToRocketmqMapper(
  toRocketmq({ target: { topic: 't', tag: '${topic[3]:-x}', keys: ['${payload.a:-none}'] } }),
  TASK_ID,
);

describe('a PUBLISH', () => {
  it.each([4, 5] as const)(
    'of MQTT %d is read within its own bytes, or refused by its type',
    (protocolVersion) => {
      let read = 0;
      fc.assert(
        fc.property(hostileBytes(publishes(protocolVersion)), (packet) => {
          // What stands around it in a chunk must not show.
          const chunk = Buffer.concat([Buffer.from(SECRET), packet, Buffer.from(SECRET)]);
          const start = SECRET.length;
          const bodyStart = Math.min(start + 2, start + packet.length);
          const publish = attempt(() =>
            readPublish(chunk, start, bodyStart, start + packet.length, { protocolVersion, filterIndexes }),
          );
          if (publish === undefined) return;
          read += 1;
          expectWithin(publish, packet.length);
          const provenance = { messageId: 'm', path: [], receiptTimeMs: 2, sendTimeMs: 3 };
          attempt(() => map(publish.message, provenance));
        }),
        FUZZ,
      );
      expect(read).toBeGreaterThan(FUZZ.numRuns / 10);
    },
  );

  it('has texts from which their bytes can be told', () => {
    fc.assert(
      fc.property(hostileBytes(corpusOf(text.map((value) => Buffer.from(value)))), (given) => {
        return bytesOf(textOf(given, 0, given.length)).equals(given);
      }),
      FUZZ,
    );
  });
});

describe('what a broker sends', () => {
  it('comes out as the same packets however it is cut, and breaks the connection where it is none', () => {
    const others = fc.constantFrom(packetOf(0xd0), packetOf(0x90, Buffer.from([0, 1, 0, 1])));
    const streams = corpusOf(
      fc
        .array(fc.oneof(publishes(5), others), { minLength: 1, maxLength: 4 })
        .map((packets) => Buffer.concat(packets)),
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });
    fc.assert(
      fc.property(hostileBytes(streams), cuts, (sent, lengths) => {
        const whole = takeApart([sent]);
        const parts: Buffer[] = [];
        let at = 0;
        for (const length of [...lengths, sent.length]) {
          parts.push(sent.subarray(at, at + length));
          at += length;
        }
        expectSame(takeApart(parts.filter(({ length }) => length > 0)), whole);
      }),
      FUZZ,
    );
  });
});

describe('the acknowledgements of a connection', () => {
  it('leave in order, once each, and for nothing that was not accepted', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({
          packetId: fc.integer({ min: 0, max: 5 }),
          isDuplicate: fc.boolean(),
          qos: fc.constantFrom<(1 | 2)[]>(1, 2),
        }),
        fc.nat({ max: 9 }).map((accept) => ({ accept })),
        fc.constant('flush' as const),
      ),
      { maxLength: 24 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const { sent, held } = play(list);
        const prefix = held.slice(0, held.findIndex(({ isAccepted }) => !isAccepted) >>> 0);
        const owed = prefix.map(({ packetId }) => packetId).filter((packetId) => packetId !== 0);
        // An id that was given to a later packet while it was held is acknowledged with that one alone.
        let from = 0;
        for (const packetId of sent) {
          from = owed.indexOf(packetId, from) + 1;
          if (from === 0) expect(sent).toEqual(owed);
        }
      }),
      FUZZ,
    );
  });
});

interface Arrival {
  packetId: number;
  isDuplicate: boolean;
  qos: 1 | 2;
}
type Step = Arrival | { accept: number } | 'flush';

/** A window through these steps: the packet ids that it has acknowledged, and what it holds. */
function play(steps: readonly Step[]) {
  const sent: number[] = [];
  const held: { delivery: HeldDelivery; packetId: number; isAccepted: boolean }[] = [];
  const none = () => undefined;
  const write = (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += 4) sent.push(chunk.readUInt16BE(at + 2));
  };
  const window = new SessionWindow({ maxPendingBytes: 2_000, hold: none, release: none, write });
  const arrive = (step: Arrival) => {
    const publish = publishOf(step);
    const number = window.add(publish);
    if (number === undefined) return;
    const delivery = new HeldDelivery(window, number, publish, { isRetained: false, receivedAtMs: 0 });
    held.push({ delivery, packetId: publish.packetId, isAccepted: false });
  };
  for (const step of steps) {
    if (step === 'flush') window.flush();
    else if ('packetId' in step) arrive(step);
    else {
      const target = held[step.accept];
      target?.delivery.accept();
      if (target !== undefined) target.isAccepted = true;
    }
  }
  window.flush();
  window.close();
  return { sent, held };
}

function publishOf(step: Arrival): Publish {
  const { packetId, isDuplicate, qos } = step;
  const message = { topicName: 'a', payload: Buffer.alloc(0), userProperties: [] };
  return {
    message,
    packetId,
    isDuplicate,
    qos: packetId === 0 ? 0 : qos,
    retain: false,
    filterIndex: -1,
    bytes: 20,
  };
}

/** What SessionStream makes of chunks, all in this turn: its packets, what passed it, and why it ended. */
function takeApart(chunks: readonly Buffer[]) {
  const source = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const published: string[] = [];
  let passed = '';
  const stream = new SessionStream(source, (chunk, start, bodyStart, end) => {
    readPublish(chunk, start, bodyStart, end, { protocolVersion: 5, filterIndexes });
    published.push(chunk.toString('latin1', start, end));
  });
  let failed = '';
  stream.on('error', () => undefined);
  const destroy = stream.destroy.bind(stream);
  stream.destroy = (error) => {
    if (error !== undefined && error !== null) failed ||= error.message;
    return destroy(error);
  };
  for (const chunk of chunks) source.emit('data', chunk);
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) passed += chunk.toString('latin1');
  stream.destroy();
  return { published, passed, failed };
}

function expectWithin({ message }: Publish, length: number): void {
  let total = message.payload.length + (message.correlationData?.length ?? 0);
  for (const [name, value] of message.userProperties) total += bytesOf(name).length + bytesOf(value).length;
  if (total > length) expect(total).toBe(length);
}

/** The bytes of a text, also of one that stands for bytes that are no UTF-8. */
function bytesOf(value: string): Buffer {
  return Buffer.concat(
    [...value].map((character) => {
      const unit = character.charCodeAt(0);
      return character.length === 1 && unit >= 0xdc80 && unit <= 0xdcff
        ? Buffer.from([unit - 0xdc00])
        : Buffer.from(character);
    }),
  );
}

/** Node's comparison first: that of jest takes far longer. */
function expectSame(actual: object, expected: object): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

function attempt<T>(action: () => T): T | undefined {
  let result: T | undefined;
  const error = failure(() => {
    result = action();
  });
  if (error === undefined) return result;
  if (error instanceof MalformedPacketError) return undefined;
  if (error instanceof BridgeError && error.reaction === 'dead-letter' && !error.message.includes(SECRET))
    return undefined;
  throw error;
}
