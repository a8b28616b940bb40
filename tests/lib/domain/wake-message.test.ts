import { describe, expect, it } from '@jest/globals';
import { decodeWake, encodeWake } from '../../../lib/domain/wake-message.ts';

describe('decodeWake', () => {
  it('reads what encodeWake wrote', () => {
    expect(decodeWake(encodeWake('01A'))).toBe('01A');
  });

  it.each(['', 'x', 'null', '[]', '{}', '{"taskId":""}', '{"taskId":1}'])(
    'takes %j as none of ours',
    (body) => {
      expect(decodeWake(body)).toBeUndefined();
    },
  );
});
