import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { OutgoingMqttMessage, UserProperty } from '../../../../lib/domain/messages/message.ts';
import { checkOutgoingMqttMessage } from '../../../../lib/domain/messages/mqtt-limits.ts';

const message = (changes: Partial<OutgoingMqttMessage>): OutgoingMqttMessage => ({
  topicName: 'a',
  payload: Buffer.alloc(0),
  qos: 1,
  retain: false,
  userProperties: [],
  ...changes,
});
const userProperties = (...pairs: UserProperty[]) => ({ userProperties: pairs });

describe('checkOutgoingMqttMessage', () => {
  it.each<[string, Partial<OutgoingMqttMessage>]>([
    ['all properties', { contentType: 'a', responseTopic: 'b/c', correlationData: Buffer.alloc(65_535) }],
    ['the largest expiry', { expirySeconds: 4_294_967_295 }],
    [
      'texts of 65,535 bytes',
      { contentType: 'ü'.repeat(32_767), ...userProperties(['a'.repeat(65_535), '']) },
    ],
    ['empty and repeated names', userProperties(['', ''], ['', 'a'], ['__proto__', 'b'])],
  ])('takes %s', (_, changes) => {
    expect(checkOutgoingMqttMessage(message(changes))).toBeUndefined();
  });

  it.each<[string, Partial<OutgoingMqttMessage>, string]>([
    ['an empty topic name', { topicName: '' }, 'TOPIC_INVALID'],
    ['a wildcard', { topicName: 'a/#' }, 'TOPIC_INVALID'],
    ['a wildcard in the response topic', { responseTopic: 'a/+' }, 'PROPERTY_INVALID'],
    ['U+0000 in a value', userProperties(['a', '\u0000']), 'PROPERTY_INVALID'],
    ['a lone surrogate in a name', userProperties(['\udc00', 'a']), 'PROPERTY_INVALID'],
    ['a lone surrogate in the content type', { contentType: '\ud800' }, 'PROPERTY_INVALID'],
    ['a broken expiry', { expirySeconds: 1.5 }, 'PROPERTY_INVALID'],
    ['a negative expiry', { expirySeconds: -1 }, 'PROPERTY_INVALID'],
    ['an expiry beyond 32 bits', { expirySeconds: 4_294_967_296 }, 'PROPERTY_INVALID'],
    ['a value of 65,536 bytes', userProperties(['a', 'ü'.repeat(32_768)]), 'PROPERTIES_TOO_LARGE'],
    ['correlation data of 65,536 bytes', { correlationData: Buffer.alloc(65_536) }, 'PROPERTIES_TOO_LARGE'],
  ])('refuses %s as a dead letter', (_, changes, code) => {
    expect(checkOutgoingMqttMessage(message(changes))).toMatchObject({ code, reaction: 'dead-letter' });
  });

  it('takes every text that MQTT can carry, and no other', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (name, value) => {
        const isCarried = ![name, value].some((text) => text.includes('\u0000') || !text.isWellFormed());
        expect(checkOutgoingMqttMessage(message(userProperties([name, value]))) === undefined).toBe(
          isCarried,
        );
      }),
    );
  });
});
