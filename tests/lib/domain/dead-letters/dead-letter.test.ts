import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type DeadLetterHandOver,
  decodeHandOver,
  encodeHandOver,
} from '../../../../lib/domain/dead-letters/dead-letter.ts';

/** What SQS takes in a message; anything else is refused with InvalidMessageContents. */
const SQS_TEXT = /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u;

const time = fc.nat();
const handOver: fc.Arbitrary<DeadLetterHandOver> = fc.record({
  taskId: fc.string({ minLength: 1 }),
  version: fc.nat(),
  code: fc.string({ minLength: 1 }),
  reason: fc.string({ unit: 'binary' }),
  recordId: fc.uuid(),
  envelope: fc.string({ unit: 'binary' }),
  attempts: fc.nat(),
  firstSeenAtMs: time,
  failedAtMs: time,
});

describe('encodeHandOver', () => {
  it('is read back as it was, and has only characters that SQS takes', () => {
    fc.assert(
      fc.property(handOver, (entry) => {
        const text = encodeHandOver(entry);
        expect(text).toMatch(SQS_TEXT);
        expect(decodeHandOver(JSON.parse(text))).toEqual(entry);
      }),
    );
  });

  it('escapes the two characters of Unicode that JSON leaves and SQS refuses', () => {
    const [entry] = fc.sample(handOver, 1);
    if (entry === undefined) throw new Error('no sample');
    const odd = { ...entry, envelope: '\ufffe\uffff\u0000\ud800' };
    const text = encodeHandOver(odd);
    expect(text).toContain('\\ufffe\\uffff\\u0000\\ud800');
    expect(decodeHandOver(JSON.parse(text))).toEqual(odd);
  });
});

describe('decodeHandOver', () => {
  it.each([undefined, null, 'text', [], {}, { v: 1 }, { mqferryDeadLetter: 1 }, { mqferryDeadLetter: 2 }])(
    'does not know %j',
    (value) => {
      expect(decodeHandOver(value)).toBeUndefined();
    },
  );

  it('leaves out what a later version may add', () => {
    const [entry] = fc.sample(handOver, 1);
    expect(decodeHandOver({ ...entry, mqferryDeadLetter: 1, later: true })).toEqual(entry);
  });
});
