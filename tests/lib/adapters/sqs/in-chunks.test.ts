import { describe, expect, it } from '@jest/globals';
import { inChunks } from '../../../../lib/adapters/sqs/in-chunks.ts';

describe('inChunks', () => {
  it('answers in the order of the chunks, with at most so many under way', async () => {
    let underWay = 0;
    let most = 0;
    const answers = await inChunks(
      [5, 1, 4, 2, 3],
      2,
      async (turns) => {
        underWay += 1;
        most = Math.max(most, underWay);
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
        underWay -= 1;
        return turns * 10;
      },
      () => -1,
    );
    expect(answers).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
  });

  it('answers for a chunk that fails, and goes on with the others', async () => {
    const answers = await inChunks(
      ['a', 'b', 'c'],
      1,
      async (chunk) => {
        if (chunk === 'b') throw new Error('away');
        return chunk;
      },
      (chunk, error) => `${chunk}: ${(error as Error).message}`,
    );
    expect(answers).toEqual(['a', 'b: away', 'c']);
  });
});
