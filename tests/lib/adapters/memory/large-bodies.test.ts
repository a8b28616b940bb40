import { describe, expect, it } from '@jest/globals';
import { createMemoryLargeBodies } from '../../../../lib/adapters/memory/large-bodies.ts';

describe('createMemoryLargeBodies', () => {
  it('keeps the last text of a key', async () => {
    const bodies = createMemoryLargeBodies();
    await bodies.put('key', 'first');
    await bodies.put('key', 'second');
    expect(await bodies.get('key')).toBe('second');
    expect(await bodies.get('other')).toBeUndefined();
  });
});
