import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeRocketmqEnvelope,
  encodeRocketmqEnvelope,
  type RocketmqEnvelope,
} from '../../../lib/mapping/rocketmq-envelope.ts';

const text = fc.string({ unit: 'binary' });
const envelopes: fc.Arbitrary<RocketmqEnvelope> = fc
  .record(
    {
      taskId: text,
      version: fc.nat(),
      messageId: text,
      bornTimeMs: fc.nat(),
      consumerGroup: text,
      rocketmqTopic: text,
      tag: text,
      keys: fc.array(text),
      messageGroup: text,
      properties: fc.array(fc.tuple(text, text)).map((entries) => new Map(entries)),
      body: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    },
    {
      requiredKeys: [
        'taskId',
        'version',
        'messageId',
        'bornTimeMs',
        'consumerGroup',
        'rocketmqTopic',
        'keys',
        'properties',
        'body',
      ],
    },
  )
  .map((envelope) => ({ ...envelope }));

describe('encodeRocketmqEnvelope', () => {
  it('is read back as it was, whatever a message holds', () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        const written = encodeRocketmqEnvelope(envelope);
        expect(written).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeRocketmqEnvelope(written)).toEqual(envelope);
      }),
    );
  });
});

describe('decodeRocketmqEnvelope', () => {
  const valid = { v: 3, task: 't', r: 1, id: 'm', born: 5, cg: 'g', t: 'topic' };

  it('takes what is left out as not there', () => {
    expect(decodeRocketmqEnvelope(JSON.stringify(valid))).toMatchObject({
      keys: [],
      properties: new Map(),
      body: Buffer.alloc(0),
    });
  });

  it.each<[string, object]>([
    ['another version', { v: 2 }],
    ['a topic that is no text', { t: 5 }],
    ['keys that are no texts', { keys: [1] }],
    ['properties that are no pairs', { up: [['a']] }],
    ['a body that is no base64', { p: '***' }],
  ])('refuses %s', (_, change) => {
    expect(() => decodeRocketmqEnvelope(JSON.stringify({ ...valid, ...change }))).toThrow(
      expect.objectContaining({ code: 'ENVELOPE_INVALID' }),
    );
  });
});
