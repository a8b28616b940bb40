import Sequencer from '@jest/test-sequencer';

const LAST = 'all-output.test.ts';

/** Puts the test that looks at what all others have put out behind them. */
export default class LastOfAll extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    const isLast = ({ path }) => path.endsWith(LAST);
    return [...sorted.filter((test) => !isLast(test)), ...sorted.filter(isLast)];
  }
}
