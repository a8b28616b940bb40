import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RequestError } from '../../../lib/domain/errors/errors.ts';
import { decodeCursor, encodeCursor } from '../../../lib/domain/page-cursor.ts';

const refusal = { status: 400, code: 'CURSOR_INVALID' };
const decoding = (list: string, cursor: string) => {
  try {
    return decodeCursor(list, cursor);
  } catch (error) {
    return error;
  }
};

describe('encodeCursor', () => {
  it('makes text for a URL, from which the same list gets its position back', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1, maxLength: 128 }), (list, after) => {
        fc.pre(list.length < 100);
        const cursor = encodeCursor(list, after);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(decodeCursor(list, cursor)).toBe(after);
      }),
    );
  });
});

describe('decodeCursor', () => {
  it('refuses everything it did not give', () => {
    fc.assert(
      fc.property(fc.string(), (cursor) => {
        const decoded = decoding('tasks', cursor);
        expect(decoded instanceof RequestError || encodeCursor('tasks', String(decoded)) === cursor).toBe(
          true,
        );
      }),
    );
  });

  it('refuses any change of one character', () => {
    const cursor = encodeCursor('tasks', '01J9Z3N8Q2W5R7T9V1X3Y5Z7A9');
    fc.assert(
      fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...'AZaz09-_=+/ é'), (index, character) => {
        fc.pre(cursor[index] !== character);
        const changed = cursor.slice(0, index) + character + cursor.slice(index + 1);
        // Another position of the same list is a cursor too; anything else is refused.
        const decoded = decoding('tasks', changed);
        if (typeof decoded === 'string') expect(encodeCursor('tasks', decoded)).toBe(changed);
        else expect(decoded).toMatchObject(refusal);
      }),
    );
  });

  it.each([
    ['of another list', encodeCursor('clusters', 'a')],
    ['without position', encodeCursor('tasks', '')],
    ['of other JSON', Buffer.from('{"a":1}').toString('base64url')],
    ['of no JSON', Buffer.from('tasks').toString('base64url')],
    ['with padding', `${encodeCursor('tasks', 'ab')}==`],
    ['with white space', `${encodeCursor('tasks', 'ab')} `],
    ['of spaced JSON', Buffer.from('["tasks", "a"]').toString('base64url')],
    ['that is empty', ''],
    ['that is huge', 'A'.repeat(100_000)],
  ])('refuses a cursor %s', (_what, cursor) => {
    expect(() => decodeCursor('tasks', cursor)).toThrow(expect.objectContaining(refusal));
  });
});
