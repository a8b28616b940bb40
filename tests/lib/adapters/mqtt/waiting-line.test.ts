import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WaitingLine } from '../../../../lib/adapters/mqtt/waiting-line.ts';

/** The same done to a line and to a plain list of what should be in it. */
interface Pair {
  line: WaitingLine<number>;
  model: number[];
}

let next = 0;

const STEPS: Readonly<Record<string, (pair: Pair, count: number) => void>> = {
  push({ line, model }, count) {
    for (let times = 0; times < count; times += 1) {
      next += 1;
      line.push(next);
      model.push(next);
    }
  },
  drop({ line, model }, count) {
    for (let times = 0; times < count && line.first !== undefined; times += 1) line.drop();
    model.splice(0, count);
  },
  takeUnless({ line, model }, count) {
    const keeps = (item: number) => item % (2 + (count % 3)) === 0;
    expect(line.takeUnless(keeps)).toEqual(model.filter((item) => !keeps(item)));
    model.splice(0, model.length, ...model.filter(keeps));
  },
  takeAll({ line, model }) {
    expect(line.takeAll()).toEqual(model.splice(0));
  },
};

describe('WaitingLine', () => {
  it('is first in, first out, whatever is done to it', () => {
    const step = fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.integer({ min: 1, max: 3_000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const pair: Pair = { line: new WaitingLine(), model: [] };
        for (const [name, count] of steps) {
          STEPS[name]?.(pair, count);
          expect(pair.line.length).toBe(pair.model.length);
          expect(pair.line.first).toBe(pair.model[0]);
          expect(pair.line.reduce((sum, item) => sum + item, 0)).toBe(
            pair.model.reduce((sum, item) => sum + item, 0),
          );
        }
      }),
      { numRuns: 50 },
    );
  });
});
