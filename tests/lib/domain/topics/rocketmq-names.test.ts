import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  checkConsumerGroup,
  checkRocketmqTopic,
  toKey,
  toMessageGroup,
  toTag,
} from '../../../../lib/domain/topics/rocketmq-names.ts';

describe('checkRocketmqTopic', () => {
  it.each(['charger_status', 'A', '0-_%|', 'a'.repeat(127), 'RMQ_SYS', 'TBW1022'])('accepts %s', (topic) => {
    expect(checkRocketmqTopic(topic)).toBeUndefined();
  });

  it.each([
    '',
    ' ',
    'a'.repeat(128),
    'stations/status',
    'a.b',
    'a+b',
    'a#',
    'caf\u00e9',
    'a\n',
    '%RETRY%group',
    '%DLQ%group',
    'TBW102',
    'BenchmarkTest',
    'SCHEDULE_TOPIC_XXXX',
    'RMQ_SYS_TRANS_HALF_TOPIC',
    'rmq_sys_wheel_timer',
  ])('refuses %j', (topic) => {
    expect(checkRocketmqTopic(topic)).toEqual({
      code: 'ROCKETMQ_TOPIC_INVALID',
      message: expect.stringMatching(/^A RocketMQ topic must .*; right is for example charger_status\.$/),
    });
  });
});

describe('checkConsumerGroup', () => {
  it.each(['billing', 'a'.repeat(120), 'CID_RMQ'])('accepts %s', (group) => {
    expect(checkConsumerGroup(group)).toBeUndefined();
  });

  it.each(['', 'a'.repeat(121), 'a.b', '%DLQ%billing', 'CID_RMQ_SYS_TRANS', 'TOOLS_CONSUMER'])(
    'refuses %j',
    (group) => {
      expect(checkConsumerGroup(group)).toEqual({
        code: 'ROCKETMQ_GROUP_INVALID',
        message: expect.stringMatching(/^A consumer group must .*; right is for example billing\.$/),
      });
    },
  );
});

describe('toTag', () => {
  it.each([
    ['status', 'status'],
    ['a b', 'a b'],
    ['50%', '50%'],
    ['a||b', 'a%7C%7Cb'],
    ['a\tb\u0085', 'a%09b%C2%85'],
    [' ', '%20'],
    ['\u3000\u00a0', '%E3%80%80%C2%A0'],
    ['', undefined],
  ])('makes %j the tag %j', (text, tag) => {
    expect(toTag(text)).toBe(tag);
  });
});

describe('toKey', () => {
  it.each([
    ['4711', '4711'],
    ['a b  c', 'a%20b%20%20c'],
    ['a\u0000\u009f', 'a%00%C2%9F'],
    ['\u2003', '%E2%80%83'],
    ['a|b', 'a|b'],
    ['', undefined],
  ])('makes %j the key %j', (text, key) => {
    expect(toKey(text)).toBe(key);
  });
});

describe('toMessageGroup', () => {
  it.each([
    ['stations/4711', 'stations/4711'],
    ['a b', 'a b'],
    ['a\n', 'a%0A'],
    ['  ', '%20%20'],
    ['g'.repeat(63), 'g'.repeat(63)],
    ['', undefined],
  ])('makes %j the group %j', (text, group) => {
    expect(toMessageGroup(text)).toBe(group);
  });

  it('hashes what has 64 bytes or more, in any script', () => {
    // printf 'g%.0s' {1..64} | openssl dgst -sha256 -binary | basenc --base64url, without padding
    expect(toMessageGroup('g'.repeat(64))).toBe('TlKwqNkYuSOhX1Dkm0PNT5nPGetYG9hNzC8LKI5V2gQ');
    expect(toMessageGroup('\u5145'.repeat(22))).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(toMessageGroup('\n'.repeat(22))).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('keeps different texts in different groups as far as the texts hold no percent sign', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '\u0085', '\u5145'), maxLength: 90 });
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(toMessageGroup(one) === toMessageGroup(other)).toBe(one === other);
      }),
    );
  });
});
