import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BridgeError } from '../../../../lib/domain/errors/errors.ts';
import { checkMessage } from '../../../../lib/domain/messages/checked-message.ts';
import type { RocketmqMessage } from '../../../../lib/domain/messages/message.ts';
import { checkRocketmqMessage, encodedBatchBytes } from '../../../../lib/domain/messages/rocketmq-limits.ts';

const right: RocketmqMessage = {
  rocketmqTopic: 'charger_status',
  body: Buffer.of(1),
  keys: ['4711'],
  properties: new Map([['site', 'Berlin']]),
};

const messages: fc.Arbitrary<RocketmqMessage> = fc.record(
  {
    rocketmqTopic: fc.constantFrom('a', 'charger_status', 'a/b', ''),
    body: fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
    tag: fc.string({ unit: 'binary', maxLength: 5 }),
    keys: fc.array(fc.string({ unit: 'grapheme', maxLength: 5 }), { maxLength: 3 }),
    messageGroup: fc.string({ unit: 'grapheme', maxLength: 40 }),
    properties: fc
      .array(fc.tuple(fc.string({ maxLength: 5 }), fc.string({ unit: 'grapheme', maxLength: 5 })))
      .map((entries) => new Map(entries)),
  },
  { requiredKeys: ['rocketmqTopic', 'body', 'keys', 'properties'] },
);

function check(message: RocketmqMessage) {
  const checked = checkMessage(message);
  if (checked instanceof BridgeError) throw checked;
  return checked;
}

describe('checkMessage', () => {
  it('answers the message unchanged, and what RocketMQ counts of it', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const checked = checkMessage(message);
        expect(checked instanceof BridgeError).toBe(checkRocketmqMessage(message) !== undefined);
        if (checked instanceof BridgeError) return;
        expect({ ...checked }).toEqual({ ...message });
        expect(checked.encodedBytes).toBe(encodedBatchBytes(message));
      }),
    );
  });

  it('checks once: a checked message is answered as it is', () => {
    const checked = check(right);
    expect(checkMessage(checked)).toBe(checked);
    expect(checked.propertyBytes).toBe('4711siteBerlin'.length);
  });

  it.each<[string, Partial<RocketmqMessage>]>([
    ['BODY_EMPTY', { body: Buffer.alloc(0) }],
    ['TAG_INVALID', { tag: '|' }],
    ['PROPERTY_INVALID', { properties: new Map([['KEYS', 'x']]) }],
  ])('takes a changed copy of a checked message for an unchecked one: %s', (code, change) => {
    const checked = check(right);
    expect(checkMessage({ ...checked, ...change })).toMatchObject({ code });
    expect(checkMessage(Object.assign(Object.create(checked), change))).toMatchObject({ code });
    expect(checkMessage({ ...structuredClone(checked), keys: [], ...change })).toMatchObject({ code });
  });
});
