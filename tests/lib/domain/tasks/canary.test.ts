import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  CANARY_PATIENCE_MS,
  type CanaryRecord,
  canaryReason,
  judgeCanaries,
} from '../../../../lib/domain/tasks/canary.ts';

const NOW_MS = Date.UTC(2026, 10, 23);
const record: CanaryRecord = { token: 't', sinceMs: NOW_MS - 3_600_000, sentAtMs: NOW_MS - 60_000 };
const failure = { code: 'TOPIC_NOT_FOUND', message: 'no such topic' };

describe('judgeCanaries', () => {
  it('waits for the first ones', () => {
    expect(judgeCanaries({ ...record, sinceMs: NOW_MS - CANARY_PATIENCE_MS }, NOW_MS)).toBe('unknown');
    expect(judgeCanaries({ ...record, sinceMs: NOW_MS - 60_000, cameSentAtMs: 5 }, NOW_MS)).toBe('unknown');
  });

  it('takes the word of the last that came, while it is not old', () => {
    const came = { ...record, cameSentAtMs: NOW_MS - 60_000 };
    expect(judgeCanaries(came, NOW_MS)).toBe('through');
    expect(judgeCanaries({ ...came, failure }, NOW_MS)).toEqual(failure);
  });

  it('misses what does not come, whenever the last one came', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 86_400_000 }), fc.boolean(), (lateMs, cameBefore) => {
        const cameSentAtMs = NOW_MS - CANARY_PATIENCE_MS - lateMs;
        const since = cameBefore ? cameSentAtMs - 1 : cameSentAtMs;
        const judged = judgeCanaries(
          { ...record, sinceMs: since, ...(cameBefore ? { cameSentAtMs } : {}) },
          NOW_MS,
        );
        expect(judged).toMatchObject({ code: 'CANARY_MISSING' });
      }),
    );
  });
});

describe('canaryReason', () => {
  it('has one code, what the canary met, and always a hint', () => {
    const at = '2026-11-23T00:00:00.000Z';
    expect(canaryReason(failure, at)).toEqual({
      code: 'CANARY_FAILED',
      message: expect.stringContaining('TOPIC_NOT_FOUND'),
      hint: expect.stringMatching(/.{20}/),
      at,
      about: 'canary',
    });
    expect(canaryReason({ ...failure, hint: 'create it' }, at).hint).toBe('create it');
  });
});
