import { describe, expect, it } from '@jest/globals';
import type { Fault } from '../../faults/fault.ts';
import { missedPromises, recoveryBarMs } from '../../faults/promises.ts';
import type { FaultRow } from '../../faults/row.ts';
import { faultRow } from './rows.ts';

const MINUTE_MS = 60_000;

const fault = (changes: Partial<Fault> = {}): Fault => ({
  name: 'mqtt-killed',
  what: 'the MQTT broker is killed',
  lastsMs: 20_000,
  degrades: ['mqtt → rocketmq'],
  begin: async () => async () => undefined,
  ...changes,
});

const seen = {
  name: 'mqtt → rocketmq',
  path: 'session',
  stalledMs: 21_000,
  stoodStillMs: 21_000,
  runningInVainMs: 0,
  recoveredMs: 800,
  isHealed: true,
} as const;

describe('recoveryBarMs', () => {
  it.each([
    ['session', 20_000, 5_000],
    ['pull', 11 * MINUTE_MS, 5_000],
    ['rule', 5 * MINUTE_MS - 1, 10_000],
    ['rule', 5 * MINUTE_MS, MINUTE_MS],
    ['rule', 10 * MINUTE_MS, MINUTE_MS],
    ['rule', 10 * MINUTE_MS + 1, 2 * MINUTE_MS],
  ] as const)('of the %s path after %i ms is %i ms', (path, awayMs, bar) => {
    expect(recoveryBarMs({}, path, awayMs)).toBe(bar);
  });

  it('is the fault’s own where it has one', () => {
    expect(recoveryBarMs({ recoversMs: 15_000 }, 'rule', 20_000)).toBe(15_000);
  });
});

describe('missedPromises', () => {
  it('finds nothing in a row in which all was kept', () => {
    expect(missedPromises(fault(), faultRow(), seen)).toEqual([]);
  });

  it.each<[Partial<FaultRow>, string]>([
    [{ lost: 2 }, '2 lost'],
    [{ changed: 1 }, '1 changed'],
    [{ outOfOrder: 3 }, '3 groups out of order'],
    [{ deadLetters: 4 }, '4 dead letters'],
    [{ givenUp: 5 }, '5 in %DLQ%'],
    [{ degradedMs: 5_001 }, 'degraded after 5.0 s, not 5.0 s'],
  ])('finds %j', (changes, miss) => {
    expect(missedPromises(fault(), faultRow(changes), seen)).toEqual([miss]);
  });

  it('asks for no order where there is none, and for nothing of what the broker lost', () => {
    const row = faultRow({ outOfOrder: 3, isOrdered: false, lostByBroker: 7 });
    expect(missedPromises(fault({ sourceMayLose: ['mqtt → rocketmq'] }), row, seen)).toEqual([]);
  });

  it('takes nothing for tried that nobody noticed, and nothing for untouched that stood still', () => {
    const flowing = { ...seen, stalledMs: 1_900, stoodStillMs: 1_900 };
    expect(missedPromises(fault(), faultRow(), flowing)).toEqual(['never stood still: nothing was tried']);
    const untouched = fault({ degrades: [] });
    expect(missedPromises(untouched, faultRow(), seen)).toEqual([
      'degraded, though nothing of its own was away',
      'stood still for 21.0 s, though nothing of its own was away',
    ]);
    const { degradedMs: _, ...silent } = faultRow();
    expect(missedPromises(untouched, silent, flowing)).toEqual([]);
    expect(missedPromises({ ...untouched, stops: ['mqtt → rocketmq'] }, silent, flowing)).toEqual([
      'never stood still: nothing was tried',
    ]);
  });

  it('believes no control reader that misses what a sound broker had accepted', () => {
    expect(missedPromises(fault(), faultRow({ lostByBroker: 7 }), seen)).toEqual([
      '7 did not even reach the control reader',
    ]);
  });

  it('wants no task to be running again while nothing arrives', () => {
    expect(missedPromises(fault(), faultRow(), { ...seen, runningInVainMs: 6_001 })).toEqual([
      '“running” for 6.0 s with nothing arriving',
    ]);
    expect(missedPromises(fault(), faultRow(), { ...seen, runningInVainMs: 6_000 })).toEqual([]);
  });

  it('holds recovery, and what was in hand, against their bars', () => {
    const late = { ...seen, recoveredMs: 5_001 };
    expect(missedPromises(fault(), faultRow(), late)).toEqual(['recovered after 5.0 s, not 5.0 s']);
    const never = { ...seen, recoveredMs: undefined };
    expect(missedPromises(fault(), faultRow(), never)).toEqual(['never recovered']);
    const row = faultRow({ inHandMs: 40_100 });
    expect(missedPromises(fault({ returnsMs: { session: 40_000 } }), row, seen)).toEqual([
      'what was in hand came after 40.1 s, not 40.0 s',
    ]);
    expect(missedPromises(fault({ returnsMs: { rule: 40_000 } }), row, seen)).toEqual([]);
  });

  it('wants a task to say so, unless its messages never stood still for so long', () => {
    const { degradedMs: _, ...silent } = faultRow();
    expect(missedPromises(fault(), silent, seen)).toEqual(['never degraded, not 5.0 s']);
    expect(missedPromises(fault(), silent, { ...seen, stalledMs: 5_000 })).toEqual([]);
    const all = { degrades: [], holdsUp: [seen.name] };
    expect(missedPromises(fault(all), silent, seen)).toEqual([]);
    expect(missedPromises(fault({ degradesMs: 25_000 }), faultRow({ degradedMs: 20_000 }), seen)).toEqual([]);
  });

  it('finds a task that does not run in the end', () => {
    const broken = { ...seen, isHealed: false };
    expect(missedPromises(fault(), faultRow(), broken)).toEqual(['not running in the end']);
  });

  it('finds a fault that did nothing, and a source that sent another number', () => {
    const twice = fault({ repeats: ['mqtt → rocketmq'] });
    expect(missedPromises(twice, faultRow({ duplicates: 0 }), seen)).toEqual([
      'nothing came twice: nothing was tried',
    ]);
    expect(missedPromises(twice, faultRow(), seen)).toEqual([]);
    expect(missedPromises(fault({ messages: 2_246 }), faultRow({ sent: 2_245 }), seen)).toEqual([
      '2245 sent, not 2246',
    ]);
  });
});
