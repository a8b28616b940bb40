import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lineIn, tail } from '../../local/log-file.ts';

let dir: string;
let file: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'log-file-'));
  file = path.join(dir, 'part.log');
});

afterAll(async () => {
  await rm(dir, { recursive: true });
});

const never = () => AbortSignal.timeout(10_000);

describe('lineIn', () => {
  it('finds a line that is there already', async () => {
    await writeFile(file, 'starting\nready on 8081\n');
    expect(await lineIn(file, /^ready/, { from: 0, signal: never() })).toBe('ready on 8081');
  });

  it('waits for a line, also one written in pieces', async () => {
    await writeFile(file, 'starting\n');
    const line = lineIn(file, /^ready$/, { from: 0, signal: never() });
    await appendFile(file, 'rea');
    await appendFile(file, 'dy\n');
    expect(await line).toBe('ready');
  });

  it('looks only behind the given byte', async () => {
    await writeFile(file, 'ready 1\n');
    const line = lineIn(file, /^ready/, { from: 8, signal: never() });
    await appendFile(file, 'ready 2\n');
    expect(await line).toBe('ready 2');
  });

  it("rejects with the signal's reason", async () => {
    await writeFile(file, 'starting\n');
    const abort = new AbortController();
    const line = lineIn(file, /^ready/, { from: 0, signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(line).rejects.toThrow('enough');
    await expect(lineIn(file, /^ready/, { from: 0, signal: abort.signal })).rejects.toThrow('enough');
  });
});

describe('tail', () => {
  it('gives the last lines, indented', async () => {
    await writeFile(file, 'one\ntwo\nthree\n');
    expect(await tail(file, 2)).toBe('    two\n    three');
  });

  it('is empty for a file that is not there', async () => {
    expect((await tail(path.join(dir, 'none'))).trim()).toBe('');
  });
});
