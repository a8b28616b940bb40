import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  lastErrors,
  MAX_MESSAGE_ERRORS,
  type MessageError,
  messageError,
} from '../../../../lib/domain/errors/message-errors.ts';

const error: fc.Arbitrary<MessageError> = fc.record(
  {
    atMs: fc.integer({ min: 1, max: 50 }),
    code: fc.constantFrom('TARGET_TIMEOUT', 'TOPIC_ILLEGAL'),
    reason: fc.constant('why'),
    outcome: fc.constantFrom('dead-letter', 'retried'),
    mqferryId: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    sourceId: fc.constantFrom('1', '2'),
    deadLetterId: fc.constant('D'),
  },
  { requiredKeys: ['atMs', 'code', 'reason', 'outcome'] },
);
const errors = fc.array(error, { maxLength: 60 });
const idOf = ({ mqferryId, sourceId, deadLetterId }: MessageError) => mqferryId ?? sourceId ?? deadLetterId;

describe('lastErrors', () => {
  it('keeps a bounded number, the newest first, and a message once', () => {
    fc.assert(
      fc.property(errors, fc.integer({ min: 1, max: 30 }), (some, max) => {
        const kept = lastErrors(some, max);
        expect(kept.length).toBeLessThanOrEqual(max);
        expect(kept.map(({ atMs }) => atMs)).toEqual(
          kept.map(({ atMs }) => atMs).toSorted((one, other) => other - one),
        );
        const ids = kept.flatMap((one) => idOf(one) ?? []);
        expect(new Set(ids).size).toBe(ids.length);
        for (const one of kept) expect(some).toContain(one);
      }),
    );
  });

  it('tells the last of all, and changes nothing when it is asked again', () => {
    fc.assert(
      fc.property(errors, (some) => {
        const kept = lastErrors(some);
        const latest = Math.max(...some.map(({ atMs }) => atMs));
        expect(kept[0]?.atMs).toBe(some.length === 0 ? undefined : latest);
        expect(lastErrors(kept)).toEqual(kept);
        const retried = kept.filter(
          ({ outcome, code }) => outcome === 'retried' && code === 'TARGET_TIMEOUT',
        );
        expect(retried.length).toBeLessThanOrEqual(3);
      }),
    );
  });

  it('keeps every dead letter up to its bound, whatever is tried again beside them', () => {
    const base = { code: 'TOPIC_ILLEGAL', reason: 'why' };
    const dead = Array.from({ length: 18 }, (_, index): MessageError => {
      return { ...base, atMs: index, outcome: 'dead-letter', deadLetterId: `${index}` };
    });
    const retried = Array.from({ length: 50 }, (_, index): MessageError => {
      return { ...base, atMs: 1_000 + index, outcome: 'retried', sourceId: `${index}` };
    });
    const kept = lastErrors([...dead, ...retried]);
    expect(kept).toHaveLength(MAX_MESSAGE_ERRORS);
    expect(kept.filter(({ outcome }) => outcome === 'dead-letter')).toHaveLength(17);
  });
});

describe('messageError', () => {
  it('cuts what may be long, and nothing else', () => {
    const cut = messageError({
      atMs: 1,
      code: 'X',
      reason: 'r'.repeat(500),
      outcome: 'retried',
      sourceTopic: 't'.repeat(65_535),
      targetTopic: 'short',
    });
    expect([cut.reason.length, cut.sourceTopic?.length, cut.targetTopic]).toEqual([160, 160, 'short']);
    expect(cut.reason.endsWith('…')).toBe(true);
  });
});
