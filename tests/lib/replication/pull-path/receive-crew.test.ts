import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createReceiveCrew } from '../../../../lib/replication/pull-path/receive-crew.ts';

/** Which of the receivers are at work: those whose turn has come. */
async function atWork(turns: readonly Promise<void>[]): Promise<number[]> {
  const pending = Symbol('pending');
  await turnOfTheLoop();
  const states = await Promise.all(turns.map((turn) => Promise.race([turn, Promise.resolve(pending)])));
  return states.flatMap((state, receiver) => (state === pending ? [] : [receiver]));
}

describe('createReceiveCrew', () => {
  function crewOf(size: number) {
    const draining = new AbortController();
    const crew = createReceiveCrew(size, draining.signal);
    return { crew, draining, turns: () => Array.from({ length: size }, (_, number) => crew.turn(number)) };
  }

  it('begins with one, and calls another for each receive that brings much', async () => {
    const { crew, turns } = crewOf(4);
    const waiting = turns();
    expect(await atWork(waiting)).toEqual([0]);
    crew.brought(32);
    crew.brought(16);
    expect(await atWork(waiting)).toEqual([0, 1, 2]);
    for (let receive = 0; receive < 9; receive += 1) crew.brought(32);
    expect(await atWork(waiting)).toEqual([0, 1, 2, 3]);
  });

  it('sends one away for each receive that brings little, and never the last', async () => {
    const { crew, turns } = crewOf(4);
    for (let receive = 0; receive < 4; receive += 1) crew.brought(32);
    crew.brought(0);
    crew.brought(1);
    crew.brought(2);
    expect(await atWork(turns())).toEqual([0, 1]);
    for (let receive = 0; receive < 9; receive += 1) crew.brought(0);
    expect(await atWork(turns())).toEqual([0]);
  });

  it('keeps as many as it is told', async () => {
    const { crew, turns } = crewOf(4);
    const waiting = turns();
    crew.keep(9);
    expect(await atWork(waiting)).toEqual([0, 1, 2, 3]);
    crew.brought(0);
    expect(await atWork(turns())).toEqual([0, 1, 2, 3]);
    crew.keep(1);
    crew.brought(0);
    expect(await atWork(turns())).toEqual([0, 1, 2]);
  });

  it('holds nobody back once the lane drains', async () => {
    const { draining, turns } = crewOf(3);
    const waiting = turns();
    draining.abort();
    expect(await atWork(waiting)).toEqual([0, 1, 2]);
    expect(await atWork(turns())).toEqual([0, 1, 2]);
  });
});
