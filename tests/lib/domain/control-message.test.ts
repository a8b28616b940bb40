import { describe, expect, it } from '@jest/globals';
import { decodeControlMessage, encodeControlMessage } from '../../../lib/domain/control-message.ts';

describe('decodeControlMessage', () => {
  it('reads what encodeControlMessage wrote', () => {
    expect(decodeControlMessage(encodeControlMessage('01A'))).toBe('01A');
  });

  it.each(['', 'x', 'null', '[]', '{}', '{"taskId":""}', '{"taskId":1}'])(
    'takes %j as none of ours',
    (body) => {
      expect(decodeControlMessage(body)).toBeUndefined();
    },
  );
});
