import { describe, expect, it } from '@jest/globals';
import { FAULTS } from '../../faults/catalog/catalog.ts';
import { claimsOf } from '../../faults/catalog/cloud.ts';
import {
  isOurLoss,
  OUTAGE_FAULT,
  OUTAGE_MESSAGES,
  OUTAGE_MS,
  outageOfRulePath,
} from '../../faults/eighteen-seconds-figures.ts';
import { estimateMs, OUTAGE_COSTS_MS } from '../../faults/estimate.ts';
import { faultRow } from './rows.ts';

const MINUTE_MS = 60_000;
const USUAL = FAULTS.filter(({ isLong }) => isLong !== true);

describe('FAULTS', () => {
  it('have a name each', () => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  });

  it('take at most 30 minutes without the long ones', () => {
    const estimatedMs = estimateMs(USUAL) + OUTAGE_COSTS_MS;
    expect(estimatedMs).toBeLessThanOrEqual(30 * MINUTE_MS);
    expect(estimateMs(FAULTS)).toBeGreaterThan(60 * MINUTE_MS);
    expect(estimateMs([])).toBe(0);
  });

  it('kill, hang and swallow both brokers, and kill functions, at 100 and at 500 a second', () => {
    const ofBrokers = ['rocketmq', 'mqtt'].flatMap((part) =>
      ['killed', 'hangs', 'black-hole'].map((how) => `${part}-${how}`),
    );
    for (const name of [...ofBrokers, 'functions-killed']) {
      expect(FAULTS.find((fault) => fault.name === name)?.perSecond).toBeUndefined();
      const fast = FAULTS.find((fault) => fault.name === `${name}-fast`);
      expect(fast).toMatchObject({ perSecond: 500, isLong: true });
    }
  });

  it('keep targets away for more than 17 times the invisible time, and look at the memory of the shifts', () => {
    for (const name of ['rocketmq-away-long', 'mqtt-away-long']) {
      const fault = FAULTS.find((one) => one.name === name);
      expect(fault?.lastsMs).toBeGreaterThan(17 * 30_000);
      expect(fault?.watchesMemory).toEqual(['session', 'pull']);
    }
  });
});

describe('outageOfRulePath', () => {
  it('is the fault of 18 s on the deployed service, in which 2,246 messages are sent', () => {
    expect(FAULTS.find(({ name }) => name === OUTAGE_FAULT)).toMatchObject({
      lastsMs: OUTAGE_MS,
      messages: OUTAGE_MESSAGES,
    });
    const counts = { delivered: 2_240, duplicates: 4 };
    const row = faultRow({ fault: OUTAGE_FAULT, pair: 'aws-iot → rocketmq', ...counts });
    const [outage] = outageOfRulePath([faultRow(), { ...row, pair: 'rocketmq → mqtt' }, row]);
    expect(outage).toEqual({
      who: 'mqferry, rule path',
      isPeer: false,
      sent: 2_246,
      arrived: 2_240,
      lost: 6,
      duplicates: 4,
    });
    expect(outageOfRulePath([faultRow()])).toEqual([]);
  });

  it('misses a promise where we lose, not where a peer does', () => {
    const loss = { who: 'x', isPeer: false, sent: 2, arrived: 1, lost: 1, duplicates: 0 };
    const outages = [loss, { ...loss, isPeer: true }, { ...loss, lost: 0 }];
    expect(outages.map(isOurLoss)).toEqual([true, false, false]);
  });
});

describe('claimsOf', () => {
  it('wants 503 and no status of a task', () => {
    expect(claimsOf({ status: 503, body: { status: 503, code: 'STORE_UNAVAILABLE' } })).toEqual([]);
    expect(claimsOf({ status: 200, body: { taskId: 'x', status: 'running' } })).toEqual([
      'the API answers 200 without its table, not 503',
      'the API claims running without its table',
    ]);
    expect(claimsOf({ status: 503, body: undefined })).toEqual([]);
    expect(claimsOf(undefined)).toEqual(['the API does not answer without its table']);
  });
});
