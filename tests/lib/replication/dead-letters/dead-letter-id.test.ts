import { describe, expect, it } from '@jest/globals';
import { decodeTime, isValid } from 'ulid';
import { deadLetterIdOf } from '../../../../lib/replication/dead-letters/dead-letter-id.ts';

const source = { taskId: 'task', recordId: 'record', firstSeenAtMs: 1_700_000_000_123 };

describe('deadLetterIdOf', () => {
  it('is a ULID of the time when the message was first seen', () => {
    const id = deadLetterIdOf(source);
    expect(isValid(id)).toBe(true);
    expect(decodeTime(id)).toBe(source.firstSeenAtMs);
  });

  it.each([2 ** 48, Number.MAX_SAFE_INTEGER, -1, Number.NaN, 0.5])(
    'is one for any time of birth: %p',
    (firstSeenAtMs) => {
      expect(isValid(deadLetterIdOf({ ...source, firstSeenAtMs }))).toBe(true);
    },
  );

  it('is the same for the same record, and another for every other', () => {
    const ids = [
      source,
      { ...source },
      { ...source, recordId: 'other' },
      { ...source, taskId: 'other' },
      { ...source, taskId: 'task\nrecord', recordId: '' },
      { ...source, firstSeenAtMs: 1 },
    ].map(deadLetterIdOf);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(5);
  });
});
