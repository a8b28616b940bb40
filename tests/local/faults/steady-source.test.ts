import { describe, expect, it } from '@jest/globals';
import { createSteadySource } from '../../faults/steady-source.ts';
import { eventually } from '../../helpers/eventually.ts';

const FAST = 2_000;

describe('createSteadySource', () => {
  it('sends so many and no more, each until it is accepted', async () => {
    let refusals = 2;
    const accepted: number[] = [];
    const source = createSteadySource({
      perSecond: FAST,
      atMost: 20,
      async send(messages) {
        refusals -= 1;
        if (refusals >= 0) throw new Error('refused');
        accepted.push(...messages.map(({ number }) => number));
      },
      close: async () => undefined,
    });
    source.start(FAST, 60);
    await eventually(
      async () => source.sent.length,
      (sent) => sent >= 60,
      { timeoutMs: 5_000, everyMs: 5, what: 'all are sent' },
    );
    await source.pause();
    expect(accepted).toEqual(Array.from({ length: 60 }, (_, number) => number));
    source.start(FAST, 5);
    await eventually(
      async () => source.sent.length,
      (sent) => sent >= 65,
      { timeoutMs: 5_000, everyMs: 5, what: 'five more are sent' },
    );
    await source.pause();
    await source.close();
    const numbers = source.sent.map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 65 }, (_, number) => number));
  });
});
