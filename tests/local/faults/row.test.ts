import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  compareSince,
  degradedAfterMs,
  describeReconnects,
  describeSaid,
  lastArrivalMs,
  markOf,
  runningInVainMs,
  standstill,
} from '../../faults/row.ts';
import { comparedPair } from './rows.ts';

describe('compareSince', () => {
  it('tells what was lost from what the source gave to nobody', () => {
    const { pair, toControl, arrives } = comparedPair(6);
    for (const number of [0, 1, 2, 3]) toControl(number);
    for (const number of [0, 1, 2]) arrives(number);
    expect(compareSince(pair, { sent: 0, controlDuplicates: 0, duplicates: 0 })).toEqual({
      sent: 6,
      delivered: 3,
      lost: 1,
      lostByBroker: 2,
      changed: 0,
      duplicates: 0,
      outOfOrder: 0,
    });
  });

  it('counts what changed, what came twice and groups out of order', () => {
    const { pair, arrives } = comparedPair(6);
    for (const number of [0, 1, 4, 2, 3, 5, 5]) arrives(number);
    arrives(5, { payload: Buffer.from('of a second arrival nobody asks') });
    const seen = compareSince(pair, { sent: 0, controlDuplicates: 0, duplicates: 0 });
    expect(seen).toMatchObject({ lost: 0, changed: 0, duplicates: 2, outOfOrder: 1 });

    const other = comparedPair(1);
    other.arrives(0, { payload: Buffer.from('another') });
    expect(compareSince(other.pair, markOf(comparedPair(0).pair))).toMatchObject({ changed: 1, lost: 0 });
  });

  it('looks at nothing from before the mark', () => {
    const { pair, toControl, arrives } = comparedPair(4);
    toControl(0);
    arrives(2);
    arrives(2);
    arrives(0);
    const mark = { ...markOf(pair), sent: 2 };
    arrives(3);
    const seen = compareSince(pair, mark);
    expect(seen).toMatchObject({ sent: 2, delivered: 2, lost: 0, duplicates: 0, outOfOrder: 0 });
  });

  it('leaves out what the source itself gave twice', () => {
    const { pair, toControl, arrives } = comparedPair(2);
    for (const number of [0, 0, 1]) toControl(number);
    for (const number of [0, 0, 1, 1]) arrives(number);
    const mark = { sent: 0, controlDuplicates: 0, duplicates: 0 };
    expect(compareSince(pair, mark).duplicates).toBe(1);
  });

  it('accounts for every message, whatever comes', () => {
    const numbers = fc.array(fc.nat(19), { maxLength: 60 });
    fc.assert(
      fc.property(numbers, numbers, fc.nat(20), (atControl, atTarget, from) => {
        const { pair, toControl, arrives } = comparedPair(20);
        for (const number of atControl) toControl(number);
        for (const number of atTarget) arrives(number);
        const mark = { sent: from, controlDuplicates: 0, duplicates: 0 };
        const { sent, delivered, lost, lostByBroker } = compareSince(pair, mark);
        expect(delivered + lost + lostByBroker).toBe(sent);
        const isOwed = (number: number) => number >= from && !atTarget.includes(number);
        expect(lost).toBe(new Set(atControl.filter(isOwed)).size);
      }),
    );
  });
});

describe('lastArrivalMs', () => {
  it('is that of the last of these messages, and 0 where they had come before', () => {
    const { pair, arrives } = comparedPair(5);
    arrives(0, { atMs: 900 });
    arrives(3, { atMs: 1_400 });
    arrives(1, { atMs: 1_700 });
    arrives(1, { atMs: 9_000 });
    arrives(4, { atMs: 5_000 });
    const { sent } = pair.source;
    expect(lastArrivalMs(pair.arrivals, sent.slice(0, 2), 1_000)).toBe(700);
    expect(lastArrivalMs(pair.arrivals, sent.slice(0, 1), 1_000)).toBe(0);
    expect(lastArrivalMs(pair.arrivals, sent.slice(2, 3), 1_000)).toBe(0);
  });
});

describe('standstill', () => {
  it('is the longest time without an arrival, with its end', () => {
    const times = [5, 90, 20, 21, 60];
    expect(standstill(times, { fromMs: 10, toMs: 90 })).toEqual({ lastedMs: 39, endedAtMs: 60 });
    expect(standstill(times, { fromMs: 10, toMs: 15 })).toEqual({ lastedMs: 5, endedAtMs: 15 });
    expect(standstill([], { fromMs: 10, toMs: 10 })).toEqual({ lastedMs: 0, endedAtMs: 10 });
  });
});

describe('runningInVainMs', () => {
  const said = [
    { atMs: 0, status: 'running' },
    { atMs: 10, status: 'degraded', code: 'X' },
    { atMs: 20, status: 'running' },
    { atMs: 50, status: 'degraded', code: 'X' },
    { atMs: 60, status: 'running' },
  ];

  it('is the longest silence within a “running” after the first “degraded”', () => {
    const { pair, arrives } = comparedPair(4);
    arrives(0, { atMs: 5 });
    arrives(1, { atMs: 45 });
    arrives(2, { atMs: 61 });
    const { arrivals } = pair;
    expect(runningInVainMs(said, arrivals, { beganMs: 8, untilMs: 64 })).toBe(25);
    expect(runningInVainMs(said, arrivals, { beganMs: 8, untilMs: 20 })).toBe(0);
    expect(runningInVainMs(said.slice(0, 1), arrivals, { beganMs: 8, untilMs: 64 })).toBe(0);
    // What strikes again has its own time.
    expect(runningInVainMs(said, arrivals, { beganMs: 8, untilMs: 64, againAtMs: [4, 30, 35, 70] })).toBe(10);
  });
});

describe('describeReconnects', () => {
  it('tells what readers of the suite went through since the mark', () => {
    const { pair, returns } = comparedPair(0);
    returns.control = 3;
    const mark = markOf(pair);
    expect(describeReconnects(pair, mark)).toEqual([]);
    returns.target = 2;
    expect(describeReconnects(pair, mark)).toEqual(["target's reader connected again 2 ×"]);
    returns.control = 4;
    expect(describeReconnects(pair, mark)).toContain('control reader connected again 1 ×');
  });
});

describe('degradedAfterMs', () => {
  const degraded = { atMs: 32_000, status: 'degraded', code: 'TARGET_UNREACHABLE' };

  it('is measured from the moment at which nothing arrived any more', () => {
    expect(degradedAfterMs([degraded], [900, 30_000, 40_000], 1_000)).toBe(2_000);
    expect(degradedAfterMs([degraded], [900, 40_000], 1_000)).toBe(31_000);
  });

  it('is nothing where it was said before only, or never', () => {
    expect(degradedAfterMs([{ ...degraded, atMs: 500 }], [], 1_000)).toBeUndefined();
    expect(degradedAfterMs([{ atMs: 2_000, status: 'running' }], [], 1_000)).toBeUndefined();
  });
});

describe('describeSaid', () => {
  it('names the reason where a task is degraded, with the time since the fault began', () => {
    const said = [
      { atMs: 0, status: 'running' },
      { atMs: 2_300, status: 'degraded', code: 'NO_SHIFT' },
      { atMs: 32_000, status: 'running' },
    ];
    expect(describeSaid(said, 1_000)).toBe('running; 1.3 s NO_SHIFT; 31.0 s running');
  });
});
