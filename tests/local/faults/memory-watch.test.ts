import { describe, expect, it } from '@jest/globals';
import { memoryRowOf, watchMemory } from '../../faults/memory-watch.ts';

const SAMPLES = 120;
const EVERY_MS = 5_000;

/** Ten minutes of looks at a process. */
const looks = (residentMb: (minute: number) => number, pid = 1, count = SAMPLES) =>
  Array.from({ length: count }, (_, index) => {
    const atMs = index * EVERY_MS;
    return { pid, atMs, residentMb: residentMb(atMs / 60_000), handles: 20 + (index % 3) };
  });

describe('memoryRowOf', () => {
  it('is content with memory that stays, whatever it gained while it was getting warm', () => {
    const row = memoryRowOf(
      'away',
      'pull',
      looks((minute) => 100 + Math.min(minute, 1.5) * 60),
    );
    expect(row).toMatchObject({ leastMb: 190, mostMb: 190, leastHandles: 20, mostHandles: 22, missed: [] });
    expect(row.gainsMbPerMinute).toBeCloseTo(0);
  });

  it('finds memory that grows as if all were kept', () => {
    const { missed } = memoryRowOf(
      'away',
      'session',
      looks((minute) => 100 + minute * 1.6),
    );
    expect(missed).toEqual(['gained 1.60 MiB a minute, not 1']);
  });

  it('takes the process that was seen longest, and says when none was for long enough', () => {
    const both = [...looks(() => 500, 1, 20), ...looks(() => 100, 2, 100)];
    expect(memoryRowOf('away', 'pull', both)).toMatchObject({ mostMb: 100, missed: [] });
    const short = memoryRowOf(
      'away',
      'pull',
      looks(() => 100, 1, 50),
    );
    expect(short.missed).toEqual(['no process was seen for long enough']);
    expect(memoryRowOf('away', 'pull', []).missed).toEqual(['no process was seen for long enough']);
  });
});

describe('watchMemory', () => {
  it('looks at once, and at processes that are there', async () => {
    const gone = 2 ** 22 + 1;
    const asked = Promise.withResolvers<void>();
    const watching = watchMemory(['pull', 'session'], async (path) => {
      if (path === 'session') asked.resolve();
      return path === 'pull' ? [process.pid, gone] : [];
    });
    await asked.promise;
    const samples = await watching.end();
    expect(samples.get('pull')?.map(({ pid }) => pid)).toEqual([process.pid]);
    expect(samples.get('pull')?.[0]?.residentMb).toBeGreaterThan(1);
    expect(samples.get('session')).toEqual([]);
  });

  it('tells at its end that it could not look', async () => {
    const watching = watchMemory(['pull'], async () => {
      throw new Error('no such function');
    });
    await expect(watching.end()).rejects.toThrow('no such function');
  });
});
