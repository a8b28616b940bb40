import { describe, expect, it } from '@jest/globals';
import { together } from '../../local/together.ts';

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('together', () => {
  it('answers every result in order', async () => {
    const signal = new AbortController().signal;
    expect(await together(signal, [async () => 1, async () => 'two'])).toEqual([1, 'two']);
  });

  it('aborts the others at the first failure and waits for them', async () => {
    let tidied = false;
    const work = together(new AbortController().signal, [
      async () => {
        throw new Error('no jar');
      },
      async (signal) => {
        await aborted(signal);
        tidied = true;
        throw signal.reason;
      },
    ]);
    await expect(work).rejects.toThrow('no jar');
    expect(tidied).toBe(true);
  });

  it('hands an interruption to every step', async () => {
    const outer = new AbortController();
    const work = together(outer.signal, [
      async (signal) => {
        await aborted(signal);
        throw signal.reason;
      },
    ]);
    outer.abort(new Error('Ctrl-C'));
    await expect(work).rejects.toThrow('Ctrl-C');
  });
});
