import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MqttMessage } from '../../../lib/domain/messages/message.ts';
import { createSessionMessageIds, pulledMessageId } from '../../../lib/mapping/message-id.ts';

const session = { taskId: '01JDAB3C4D5E6F7G8H9JKMNPQR', lane: 0, sessionStartMs: 1 };
const will: MqttMessage = {
  topicName: 'stations/4711/status',
  payload: Buffer.from('off'),
  userProperties: [['site', 'berlin']],
};

describe('createSessionMessageIds', () => {
  it('gives a copy the id of the first, in whichever process', () => {
    const id = createSessionMessageIds(session)(will, 7);
    expect(id).toMatch(/^[A-Za-z0-9_-]{27}$/);
    expect(createSessionMessageIds(session)({ ...will }, 7)).toBe(id);
  });

  it('tells apart whatever differs', () => {
    const ids = [
      createSessionMessageIds(session)(will, 7),
      createSessionMessageIds(session)(will, 8),
      createSessionMessageIds({ ...session, lane: 1 })(will, 7),
      createSessionMessageIds({ ...session, sessionStartMs: 2 })(will, 7),
      createSessionMessageIds({ ...session, taskId: '01JDAB3C4D5E6F7G8H9JKMNPQS' })(will, 7),
      ...[
        { topicName: 'stations/4712/status' },
        { payload: Buffer.from('on') },
        { userProperties: [] },
        { userProperties: [['sit', 'eberlin']] as const },
        { userProperties: [['site', 'berlin'] as const, ['', ''] as const] },
      ].map((change) => createSessionMessageIds(session)({ ...will, ...change }, 7)),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('counts messages that have no packet identifier', () => {
    const idOf = createSessionMessageIds(session);
    expect(idOf(will, undefined)).not.toBe(idOf(will, undefined));
  });

  it('hashes a large message by another way to the same kind of id', () => {
    const idOf = createSessionMessageIds(session);
    const large = { ...will, payload: Buffer.alloc(100_000, 1) };
    expect(idOf(large, 7)).toMatch(/^[A-Za-z0-9_-]{27}$/);
    expect(idOf(large, 7)).toBe(idOf({ ...large }, 7));
    expect(idOf(large, 7)).not.toBe(idOf({ ...large, payload: Buffer.alloc(100_001, 1) }, 7));
  });

  it('is not confused by a message that came before', () => {
    const idOf = createSessionMessageIds(session);
    const texts = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(
        texts,
        fc.array(fc.tuple(texts, texts), { maxLength: 4 }),
        fc.uint8Array(),
        (topicName, up, bytes) => {
          const message = { topicName, userProperties: up, payload: Buffer.from(bytes) };
          expect(idOf(message, 1)).toBe(createSessionMessageIds(session)(message, 1));
        },
      ),
    );
  });
});

describe('pulledMessageId', () => {
  it('stays the same when the message comes again', () => {
    expect(pulledMessageId({ messageId: '01AB', bornTimeMs: 1764000000000 })).toBe('01AB-1764000000000');
  });
});
