import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withLock } from '../../local/lock.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'lock-'));
});

afterAll(async () => {
  await rm(dir, { recursive: true });
});

describe('withLock', () => {
  it('lets one in at a time', async () => {
    const file = path.join(dir, 'one');
    let inside = 0;
    const most = await Promise.all(
      [1, 2, 3].map(() =>
        withLock(
          file,
          async () => {
            inside += 1;
            const seen = inside;
            await new Promise((resolve) => setImmediate(resolve));
            inside -= 1;
            return seen;
          },
          { timeoutMs: 10_000 },
        ),
      ),
    );
    expect(most).toEqual([1, 1, 1]);
  });

  it('is given back when the work fails', async () => {
    const file = path.join(dir, 'failed');
    const fail = withLock(file, () => Promise.reject(new Error('broken')), { timeoutMs: 1_000 });
    await expect(fail).rejects.toThrow('broken');
    await expect(access(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is taken over from a holder that died', async () => {
    const file = path.join(dir, 'stale');
    await writeFile(file, `${2 ** 22 + 1}`);
    expect(await withLock(file, async () => 'mine', { timeoutMs: 5_000 })).toBe('mine');
  });

  it('names the file when a living holder keeps it too long', async () => {
    const file = path.join(dir, 'held');
    await writeFile(file, `${process.pid}`);
    await expect(withLock(file, async () => 'mine', { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(file),
    });
  });

  it('stops waiting when it is interrupted', async () => {
    const file = path.join(dir, 'waited');
    await writeFile(file, `${process.pid}`);
    const signal = AbortSignal.abort();
    await expect(withLock(file, async () => 'mine', { timeoutMs: 5_000, signal })).rejects.toThrow(/abort/i);
  });
});
