import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeEnvelope } from '../../../lib/mapping/envelope.ts';
import {
  decodeLargeEnvelope,
  encodeLargeEnvelope,
  encodeSessionEnvelope,
  type SessionEnvelope,
} from '../../../lib/mapping/session-envelope.ts';
import { mqttMessages } from './arbitraries.ts';
import { failure } from './failure.ts';

const MINIMAL = { v: 2, task: '01JDAB3C4D5E6F7G8H9JKMNPQR', r: 3, id: 'm-1', ts: 1, t: 'a' };

const receipts = fc.record(
  {
    taskId: fc.ulid(),
    version: fc.nat(),
    filterIndex: fc.nat({ max: 9 }),
    messageId: fc.string(),
    receiptTimeMs: fc.nat(),
  },
  { requiredKeys: ['taskId', 'version', 'messageId', 'receiptTimeMs'] },
);

describe('encodeSessionEnvelope', () => {
  it('writes ASCII that reads as the very same message', () => {
    fc.assert(
      fc.property(mqttMessages, receipts, (message, receipt) => {
        const envelope: SessionEnvelope = { ...message, ...receipt };
        const text = encodeSessionEnvelope(envelope);
        expect(/^[ -~]*$/.test(text)).toBe(true);
        // Node's comparison first: the one of jest takes a second for large buffers.
        const decoded = decodeEnvelope(text);
        if (!isDeepStrictEqual({ ...decoded }, envelope)) expect(decoded).toEqual(envelope);
        expect(decodeLargeEnvelope(text)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('keeps order, repetitions and odd names of user properties', () => {
    const userProperties: [string, string][] = [
      ['b', '1'],
      ['9', ''],
      ['b', '2'],
      ['__proto__', '\u0000'],
      ['', '\u{1f50b}'],
    ];
    const receipt = { taskId: 'T', version: 1, messageId: 'm', receiptTimeMs: 0 };
    const envelope = { ...receipt, topicName: 'a', payload: Buffer.alloc(0), userProperties };
    expect(decodeEnvelope(encodeSessionEnvelope(envelope))).toEqual(envelope);
  });
});

describe('decodeSessionEnvelope', () => {
  it('takes null for absent', () => {
    const nothing = { f: null, q: null, re: null, up: null, cd: null, ex: null, p: null, s3: null };
    expect(decodeEnvelope(JSON.stringify({ ...MINIMAL, ...nothing }))).toEqual(
      decodeEnvelope(JSON.stringify(MINIMAL)),
    );
  });

  it.each<[what: string, change: Record<string, unknown>]>([
    ...['task', 'r', 'id', 'ts', 't'].map((name): [string, Record<string, unknown>] => [
      `no ${name}`,
      { [name]: undefined },
    ]),
    ['a wrong f', { f: -1 }],
    ['a wrong q', { q: 3 }],
    ['a wrong re', { re: 'true' }],
    ['a wrong c', { c: 1 }],
    ['a wrong up', { up: {} }],
    ['a wrong up', { up: [{ a: 'x' }] }],
    ['a wrong up', { up: [['a', 1]] }],
    ['a wrong ct', { ct: 1 }],
    ['a wrong rt', { rt: 1 }],
    ['a wrong cd', { cd: 'a' }],
    ['a wrong fi', { fi: 2 }],
    ['a wrong ex', { ex: 4_294_967_296 }],
    ['a wrong p', { p: 'a' }],
    ['its message elsewhere', { s3: 'key' }],
  ])('refuses an envelope that has %s: %j', (what, change) => {
    expect(failure(() => decodeEnvelope(JSON.stringify({ ...MINIMAL, ...change })))).toMatchObject({
      code: 'ENVELOPE_INVALID',
      reaction: 'dead-letter',
      message: `the envelope has ${what}`,
    });
  });
});

describe('decodeLargeEnvelope', () => {
  it('reads what encodeLargeEnvelope wrote', () => {
    const large = { taskId: '01JDAB3C4D5E6F7G8H9JKMNPQR', version: 3, key: 'overflow/\u00fc/1' };
    const text = encodeLargeEnvelope(large);
    expect(text).toMatch(/^[ -~]{1,200}$/);
    expect(decodeLargeEnvelope(text)).toEqual(large);
  });

  it('refuses one whose numbers nobody of us has written', () => {
    const text = '{"v":2,"task":"T","r":99999999999999999999,"s3":"k"}';
    expect(failure(() => decodeLargeEnvelope(text))).toMatchObject({ code: 'ENVELOPE_INVALID' });
  });

  it.each(['', '{"v":1}', '{"v":2}', '{"v":2,"task":"T","r":1,"s3":"'])('is not taken in by %j', (text) => {
    expect(decodeLargeEnvelope(text)).toBeUndefined();
  });
});
