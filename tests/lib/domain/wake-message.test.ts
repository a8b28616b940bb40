import { describe, expect, it } from '@jest/globals';
import { decodeWake, encodeWake } from '../../../lib/domain/wake-message.ts';

describe('decodeWake', () => {
  it('reads what encodeWake wrote', () => {
    expect(decodeWake(encodeWake('task'))).toBe('task');
  });

  it.each(['', 'task', 'null', '{}', '{"taskId":7}', '{"taskId":""}', '[]'])(
    'reads no task from "%s"',
    (body) => {
      expect(decodeWake(body)).toBeUndefined();
    },
  );
});
