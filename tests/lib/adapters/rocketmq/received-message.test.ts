import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import rpc from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { decodeReceiveAnswer } from '../../../../lib/adapters/rocketmq/received-message.ts';
import { statusOf } from '../../../helpers/fake-rocketmq-proxy.ts';
import {
  delimited,
  encodeReceived,
  receivedMessages,
  SOURCE,
  wireOf,
} from '../../../helpers/received-messages.ts';

const optional = fc.subarray(['tag', 'messageGroup'] as const);

describe('decodeReceiveAnswer', () => {
  it('reads what the generated classes write', () => {
    fc.assert(
      fc.property(receivedMessages, optional, (whole, without) => {
        const given = { ...whole };
        for (const name of without) delete given[name];
        expect(decodeReceiveAnswer(encodeReceived(given), SOURCE)).toEqual({
          kind: 'message',
          message: given,
        });
      }),
    );
  });

  it('reads a property of any name, and strings that stand after the body', () => {
    const entry = (name: string, value: string) =>
      delimited(2, Buffer.concat([delimited(1, name), delimited(2, value)]));
    const wire = Buffer.concat([
      entry('__proto__', 'own'),
      delimited(4, 'body'),
      entry('later', 'plain'),
      entry('später', '✓'),
    ]);
    const answer = decodeReceiveAnswer(delimited(2, wire), SOURCE);
    expect(answer?.kind === 'message' && [...answer.message.properties]).toEqual([
      ['__proto__', 'own'],
      ['later', 'plain'],
      ['später', '✓'],
    ]);
  });

  it('shares the memory of the answer with the body', () => {
    const encoded = delimited(2, delimited(4, 'body'));
    const answer = decodeReceiveAnswer(encoded, SOURCE);
    expect(answer?.kind === 'message' && answer.message.body.buffer).toBe(encoded.buffer);
  });

  it('passes over fields it does not know, of every wire type', () => {
    const unknown = Buffer.from([
      0xf8, 0x07, 0x96, 0x01, 0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8, 0xfd, 0x07, 1, 2, 3, 4,
    ]);
    const wire = Buffer.concat([unknown, delimited(127, 'x'), delimited(4, 'body')]);
    const answer = decodeReceiveAnswer(Buffer.concat([unknown, delimited(2, wire)]), SOURCE);
    expect(answer).toMatchObject({ kind: 'message', message: { body: Buffer.from('body') } });
  });

  it('reads a status, and nothing in a time of delivery', () => {
    const status = new rpc.ReceiveMessageResponse().setStatus(statusOf({ code: 40_401, text: 'none' }));
    expect(decodeReceiveAnswer(wireOf(status), SOURCE)).toEqual({
      kind: 'status',
      status: { code: 40_401, text: 'none' },
    });
    const time = delimited(3, Buffer.from([0x08, 0x01]));
    expect(decodeReceiveAnswer(time, SOURCE)).toBeUndefined();
  });

  it('refuses bytes that end too early or say nothing, and never reads beyond', () => {
    fc.assert(
      fc.property(receivedMessages, fc.double({ min: 0, max: 1, maxExcluded: true }), (given, share) => {
        const whole = encodeReceived(given);
        const cut = whole.subarray(0, Math.floor(whole.length * share));
        if (cut.length > 0) expect(() => decodeReceiveAnswer(cut, SOURCE)).toThrow(RangeError);
      }),
    );
    expect(() => decodeReceiveAnswer(Buffer.from([0x0f]), SOURCE)).toThrow(RangeError);
  });

  it.each([
    ['a number of eight bytes that ends early', delimited(2, Buffer.from([0x09, 1, 2]))],
    ['a number of four bytes that ends early', delimited(2, Buffer.from([0x0d, 1, 2]))],
    ['a property longer than its message', Buffer.from([0x12, 2, 0x12, 3, 0x0a, 1, 0x61])],
    ['a key longer than its property', delimited(2, Buffer.from([0x12, 2, 0x0a, 3, 0x61, 0x62, 0x63]))],
    ['a tag longer than the system properties', delimited(2, Buffer.from([0x1a, 2, 0x0a, 1, 0x61]))],
    ['a text longer than its status', Buffer.from([0x0a, 2, 0x12, 1, 0x61])],
    ['a number of eleven bytes', delimited(2, Buffer.from([0x08, ...Array(10).fill(0x80), 1]))],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeReceiveAnswer(bytes, SOURCE)).toThrow(RangeError);
  });

  it.each([
    ['beyond what a number can say', 2 ** 53, Number.MAX_SAFE_INTEGER],
    ['before 1970', 2 ** 64 - 1_000, 0],
  ])('takes a time of birth %s for the nearest one', (_, seconds, bornTimeMs) => {
    const timestamp = Buffer.concat([Buffer.from([0x08]), varint(BigInt(seconds))]);
    const answer = decodeReceiveAnswer(delimited(2, delimited(3, delimited(7, timestamp))), SOURCE);
    expect(answer).toMatchObject({ kind: 'message', message: { bornTimeMs } });
  });
});

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}
