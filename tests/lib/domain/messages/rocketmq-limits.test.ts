import { describe, expect, it } from '@jest/globals';
import type { RocketmqMessage } from '../../../../lib/domain/messages/message.ts';
import {
  checkRocketmqMessage,
  encodedBatchBytes,
  MAX_BODY_BYTES,
  RESERVED_PROPERTY_NAMES,
} from '../../../../lib/domain/messages/rocketmq-limits.ts';

const right: RocketmqMessage = {
  rocketmqTopic: 'charger_status',
  body: Buffer.of(0),
  tag: 'status',
  keys: ['4711', 'berlin'],
  messageGroup: 'g'.repeat(63),
  properties: new Map([['site', 'Berlin \u5145\u96fb \u{1f50b}']]),
};

describe('checkRocketmqMessage', () => {
  it('finds nothing wrong with a right message', () => {
    expect(checkRocketmqMessage(right)).toBeUndefined();
    expect(
      checkRocketmqMessage({ rocketmqTopic: 'a', body: Buffer.of(0), keys: [], properties: new Map() }),
    ).toBeUndefined();
  });

  it.each<[code: string, change: Partial<RocketmqMessage>]>([
    ['TOPIC_INVALID', { rocketmqTopic: 'stations/status' }],
    ['BODY_EMPTY', { body: Buffer.alloc(0) }],
    ['BODY_TOO_LARGE', { body: Buffer.alloc(MAX_BODY_BYTES + 1) }],
    ['TAG_INVALID', { tag: '' }],
    ['TAG_INVALID', { tag: '  ' }],
    ['TAG_INVALID', { tag: 'a|b' }],
    ['TAG_INVALID', { tag: 'a\u0080' }],
    ['KEY_INVALID', { keys: ['a', ''] }],
    ['KEY_INVALID', { keys: ['a b'] }],
    ['KEY_INVALID', { keys: ['a\u0000'] }],
    ['KEY_INVALID', { keys: ['\ud800'] }],
    ['MESSAGE_GROUP_INVALID', { messageGroup: '' }],
    ['MESSAGE_GROUP_INVALID', { messageGroup: 'g'.repeat(64) }],
    ['MESSAGE_GROUP_INVALID', { messageGroup: 'a\u007f' }],
    ['PROPERTY_INVALID', { properties: new Map([['', 'v']]) }],
    ['PROPERTY_INVALID', { properties: new Map([['n', '']]) }],
    ['PROPERTY_INVALID', { properties: new Map([['__proto__', 'v']]) }],
    ['PROPERTY_INVALID', { properties: new Map([['n\u0001', 'v']]) }],
    ['PROPERTY_INVALID', { properties: new Map([['n', 'v\u009f']]) }],
    ['PROPERTY_INVALID', { properties: new Map([['n', '\udc00']]) }],
    ['PROPERTY_INVALID', { properties: new Map([['TTL', '1']]) }],
    ['PROPERTY_INVALID', { properties: new Map([['__SHARDINGKEY', '1']]) }],
    ['PROPERTY_INVALID', { properties: new Map([['INNER_NUM', '1']]) }],
    ['PROPERTIES_TOO_LARGE', { properties: numbered(129) }],
    ['PROPERTIES_TOO_LARGE', { properties: new Map([['n', 'v'.repeat(16_383)]]) }],
    ['PROPERTIES_TOO_LARGE', { tag: 't'.repeat(8_000), keys: ['k'.repeat(8_384)] }],
  ])('answers %s, and no value, for %#', (code, change) => {
    const error = checkRocketmqMessage({ ...right, ...change });
    expect(error).toMatchObject({ code, reaction: 'dead-letter', scope: 'message' });
    expect(error?.message).not.toMatch(/v{2}|Berlin/);
  });

  it('accepts the largest of each', () => {
    expect(checkRocketmqMessage({ ...right, body: Buffer.alloc(MAX_BODY_BYTES) })).toBeUndefined();
    expect(checkRocketmqMessage({ ...right, properties: numbered(128) })).toBeUndefined();
    const bare = { rocketmqTopic: 'a', body: Buffer.of(0), keys: [] };
    expect(
      checkRocketmqMessage({ ...bare, properties: new Map([['n', 'v'.repeat(16_382)]]) }),
    ).toBeUndefined();
  });

  it('refuses every name that RocketMQ 5.4 uses itself', () => {
    expect(RESERVED_PROPERTY_NAMES.size).toBe(68);
    for (const name of RESERVED_PROPERTY_NAMES) {
      expect(checkRocketmqMessage({ ...right, properties: new Map([[name, 'v']]) })).toMatchObject({
        code: 'PROPERTY_INVALID',
      });
    }
  });
});

describe('encodedBatchBytes', () => {
  it('grows by exactly what a message carries', () => {
    const bare = { rocketmqTopic: 'a', body: Buffer.of(0), keys: [], properties: new Map<string, string>() };
    const base = encodedBatchBytes(bare);
    expect(encodedBatchBytes({ ...bare, body: Buffer.alloc(1001) })).toBe(base + 1000);
    expect(encodedBatchBytes({ ...bare, properties: new Map([['n', '\u00e9']]) })).toBe(base + 1 + 2 + 2);
    expect(encodedBatchBytes({ ...bare, tag: 'status' })).toBe(base + 'TAGSstatus'.length + 2);
    expect(encodedBatchBytes({ ...bare, keys: ['a', 'bc'] })).toBe(base + 'KEYSa bc '.length + 2);
    expect(encodedBatchBytes({ ...bare, messageGroup: 'g' })).toBe(base + '__SHARDINGKEYg'.length + 2);
  });
});

function numbered(count: number): Map<string, string> {
  return new Map(Array.from({ length: count }, (_, index) => [`n${index}`, 'x']));
}
