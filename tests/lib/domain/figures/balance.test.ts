import { describe, expect, it } from '@jest/globals';
import {
  balanceByPositions,
  balanceByQueue,
  balanceByReceipts,
  balanceWindow,
  withoutWitness,
} from '../../../../lib/domain/figures/balance.ts';

/** Minutes 0 to 9 are compared. */
const WINDOW = { fromMinute: 0, toMinute: 9 };
const minutes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const steady = (received: number) => minutes.map((minute) => ({ minute, received }));
const receipt = (
  minute: number,
  receipts: number,
  marks: { opens?: number; closes?: number; lane?: number } = {},
) => ({
  minute,
  receipts,
  lane: 0,
  opens: 0,
  closes: 0,
  ...marks,
});

describe('balanceWindow', () => {
  it('is ten minutes that ended five minutes ago or earlier', () => {
    expect(balanceWindow(20 * 60_000)).toEqual({ fromMinute: 5, toMinute: 14 });
    expect(balanceWindow(20 * 60_000 + 59_999)).toEqual({ fromMinute: 5, toMinute: 14 });
  });
});

describe('balanceByReceipts', () => {
  const told = minutes.map((minute) => receipt(minute, 100));

  it('holds to the message', () => {
    expect(balanceByReceipts(steady(100), told, WINDOW)).toEqual({
      balanced: true,
      difference: 0,
      tolerance: 0,
      witness: 'receipts',
      counted: 1_000,
      witnessed: 1_000,
      minutes: { from: 0, through: 9, compared: 10 },
    });
  });

  it.each([
    [101, 1],
    [99, -1],
  ])('shows a lost update and a double count: %d of 100', (received, difference) => {
    const counted = [...steady(100).slice(1), { minute: 0, received }];
    expect(balanceByReceipts(counted, told, WINDOW)).toMatchObject({ balanced: false, difference });
  });

  it('adds up lanes, and takes a hand-over in order for nothing odd', () => {
    const lanes = minutes.flatMap((minute) => [
      receipt(minute, 60, minute === 4 ? { opens: 1, closes: 1 } : {}),
      receipt(minute, 40, { lane: 1 }),
    ]);
    expect(balanceByReceipts(steady(100), lanes, WINDOW)).toMatchObject({ balanced: true, counted: 1_000 });
  });

  it('leaves out the minutes of a lane that was killed', () => {
    const counted = [...steady(100).filter(({ minute }) => minute !== 4), { minute: 4, received: 55 }];
    const killed = [
      ...minutes.filter((minute) => minute < 4).map((minute) => receipt(minute, 100)),
      receipt(5, 100, { opens: 1 }),
      ...minutes.filter((minute) => minute > 5).map((minute) => receipt(minute, 100)),
    ];
    expect(balanceByReceipts(counted, killed, WINDOW)).toMatchObject({
      balanced: true,
      counted: 700,
      minutes: { compared: 7 },
    });
  });

  it('takes a hand-over at the edge of a minute for one, and tells a kill after it', () => {
    const edge = [receipt(0, 100), receipt(1, 100, { opens: 1 }), receipt(2, 100, { closes: 1 })];
    const plain = minutes.filter((minute) => minute > 2).map((minute) => receipt(minute, 100));
    expect(balanceByReceipts(steady(100), [...edge, ...plain], WINDOW)).toMatchObject({
      counted: 1_000,
      minutes: { compared: 10 },
    });
    const counted = [...steady(100).filter(({ minute }) => minute !== 6), { minute: 6, received: 55 }];
    const killed = plain
      .filter(({ minute }) => minute !== 6)
      .map((one) => (one.minute === 7 ? { ...one, opens: 1 } : one));
    expect(balanceByReceipts(counted, [...edge, ...killed], WINDOW)).toMatchObject({
      balanced: true,
      counted: 700,
      minutes: { compared: 7 },
    });
  });

  it('takes a start and a pause in the next minute for what they are', () => {
    const told = [receipt(1, 50, { opens: 1 }), receipt(2, 50, { closes: 1 }), receipt(6, 50, { opens: 1 })];
    const counted = [1, 2, 6].map((minute) => ({ minute, received: 50 }));
    expect(balanceByReceipts(counted, told, WINDOW)).toMatchObject({
      counted: 150,
      minutes: { compared: 10 },
    });
  });

  it('knows from before the window how a lane was left', () => {
    const before = [receipt(-20, 0, { opens: 1 }), receipt(-15, 5, { closes: 1 })];
    const opened = [receipt(3, 100, { opens: 1 })];
    const counted = [{ minute: 3, received: 100 }];
    expect(balanceByReceipts(counted, [...before, ...opened], WINDOW)).toMatchObject({
      counted: 100,
      minutes: { compared: 10 },
    });
    expect(balanceByReceipts(counted, [receipt(-20, 0, { opens: 1 }), ...opened], WINDOW)).toMatchObject({
      counted: 0,
      minutes: { compared: 6 },
    });
  });

  it('leaves out what nobody has told of', () => {
    expect(balanceByReceipts([{ minute: 2, received: 7 }], [], WINDOW)).toMatchObject({
      balanced: true,
      counted: 0,
      minutes: { compared: 9 },
    });
  });

  it('sees a minute that figures have lost as a whole', () => {
    const counted = steady(100).slice(1);
    expect(balanceByReceipts(counted, told, WINDOW)).toMatchObject({ balanced: false, difference: -100 });
  });
});

describe('balanceByPositions', () => {
  const samples = minutes.map((minute) => ({ minute, position: 5_000 + minute * 600, queues: 8 }));

  it('compares what lies between the first and the last sample', () => {
    expect(balanceByPositions(steady(600), samples, WINDOW)).toMatchObject({
      balanced: true,
      difference: 0,
      tolerance: 100,
      counted: 5_400,
      witnessed: 5_400,
      minutes: { from: 0, through: 8, compared: 9 },
    });
  });

  it('is exact where nothing is under way at the edges', () => {
    const burst = [{ minute: 4, received: 1_000 }];
    const jump = minutes.map((minute) => ({ minute, position: minute > 4 ? 1_001 : 0, queues: 8 }));
    expect(balanceByPositions(burst, jump, WINDOW)).toMatchObject({
      balanced: false,
      difference: -1,
      tolerance: 0,
    });
  });

  it.each([
    ['another number of queues', { queues: 4 }],
    ['a position that was reset', { position: 0 }],
    ['a start, before which it may have been moved on', { position: 1_000_000, since: 'later' }],
  ])('begins anew at %s', (_, change) => {
    const broken = samples.map((sample) => (sample.minute < 5 ? sample : { ...sample, ...change }));
    expect(balanceByPositions(steady(600), broken, WINDOW).minutes?.from).toBe(5);
  });

  it('begins anew behind a gap, and says nothing of one sample', () => {
    const gap = samples.filter(({ minute }) => minute < 3 || minute > 6);
    expect(balanceByPositions(steady(600), gap, WINDOW).minutes).toEqual({
      from: 7,
      through: 8,
      compared: 2,
    });
    expect(balanceByPositions(steady(600), samples.slice(0, 1), WINDOW)).toEqual({
      balanced: true,
      difference: 0,
      tolerance: 0,
      witness: 'positions',
      counted: 0,
      witnessed: 0,
    });
  });
});

describe('balanceByQueue', () => {
  const sent = new Map(minutes.map((minute) => [minute, 120]));

  it('holds within five seconds of the traffic at each edge', () => {
    expect(balanceByQueue(steady(120), sent, WINDOW, 0)).toMatchObject({
      balanced: true,
      tolerance: 20,
      counted: 1_200,
      witnessed: 1_200,
    });
    expect(balanceByQueue(steady(119), sent, WINDOW, 0).balanced).toBe(true);
    expect(balanceByQueue(steady(117), sent, WINDOW, 0)).toMatchObject({ balanced: false, difference: -30 });
    expect(balanceByQueue(steady(123), sent, WINDOW, 1_000)).toMatchObject({
      balanced: false,
      difference: 30,
    });
  });

  it('takes what waits in the queue for what is missing', () => {
    expect(balanceByQueue([], sent, WINDOW, 1_200)).toMatchObject({ balanced: true, difference: -1_200 });
    expect(balanceByQueue([], sent, WINDOW, 1_199).balanced).toBe(false);
  });
});

describe('withoutWitness', () => {
  it('tells the identity alone', () => {
    expect(withoutWitness()).toMatchObject({ balanced: true, difference: 0, witness: 'none' });
  });
});
