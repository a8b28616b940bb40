import { describe, expect, it } from '@jest/globals';
import { withTimeout } from '../../../lib/replication/with-timeout.ts';

describe('withTimeout', () => {
  it('answers with the value', async () => {
    await expect(withTimeout(Promise.resolve('value'), 60_000)).resolves.toBe('value');
  });

  it('passes a rejection on', async () => {
    await expect(withTimeout(Promise.reject(new Error('away')), 60_000)).rejects.toThrow('away');
  });

  it.each([1, 0, -5])('answers undefined after %i ms', async (ms) => {
    await expect(withTimeout(new Promise(() => {}), ms)).resolves.toBeUndefined();
  });

  it('lets a late rejection go by', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    await withTimeout(promise, 0);
    reject(new Error('late'));
    await expect(promise).rejects.toThrow('late');
  });
});
