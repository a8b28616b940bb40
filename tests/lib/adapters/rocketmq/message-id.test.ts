import { describe, expect, it } from '@jest/globals';
import { createMessageIds } from '../../../../lib/adapters/rocketmq/message-id.ts';

const NOW = Date.UTC(2021, 0, 1, 0, 0, 10);

describe('createMessageIds', () => {
  it('has version 1, the seconds since 2021 and a sequence, 34 hexadecimal digits in all', () => {
    const next = createMessageIds(() => NOW);
    expect(next()).toMatch(/^01[0-9A-F]{16}0000000A00000000$/);
    expect(next()).toMatch(/^01[0-9A-F]{16}0000000A00000001$/);
  });

  it('goes on counting over the turn of a second', () => {
    let now = NOW;
    const next = createMessageIds(() => now);
    next();
    now += 1_000;
    expect(next()).toMatch(/0000000B00000001$/);
  });

  it('differs between two sandboxes that start in the same second', () => {
    const ids = Array.from({ length: 100 }, () => createMessageIds(() => NOW)());
    expect(new Set(ids).size).toBe(100);
  });
});
