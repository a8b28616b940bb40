import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { RUN_DIR } from '../../local/layout.ts';
import { isRecorded, rememberThisProcess, runningRecords } from '../../local/process-records.ts';

const JAVA = { args: ['-cp', 'lib/*', 'Main'] };

describe('isRecorded', () => {
  it('knows a process by its arguments', () => {
    expect(isRecorded(JAVA, { pid: 1, command: ['java', '-cp', 'lib/*', 'Main'] })).toBe(true);
  });

  it('knows it behind the interpreter of its script', () => {
    expect(isRecorded(JAVA, { pid: 1, command: ['/bin/sh', 'launcher', '-cp', 'lib/*', 'Main'] })).toBe(true);
  });

  it('does not take a stranger that got the same pid for it', () => {
    expect(isRecorded(JAVA, { pid: 1, command: ['java', '-cp', 'lib/*', 'Other'] })).toBe(false);
    expect(isRecorded({ args: [] }, { pid: 1, command: ['vim'] })).toBe(false);
  });
});

describe('runningRecords', () => {
  it('lists what runs, until it is forgotten', async () => {
    const forget = await rememberThisProcess('this test', '/somewhere');
    const names = async () => (await runningRecords()).filter(({ pid }) => pid === process.pid);
    expect(await names()).toMatchObject([{ name: 'this test', home: '/somewhere' }]);
    forget();
    expect(await names()).toEqual([]);
  });

  it.each([
    { what: 'a process that has ended', pid: 2 ** 22 + 1 },
    { what: 'a pid that belongs to another program now', pid: process.ppid },
  ])('throws away the record of $what', async ({ pid }) => {
    const file = path.join(RUN_DIR, `test-${pid}.json`);
    await mkdir(RUN_DIR, { recursive: true });
    await writeFile(
      file,
      JSON.stringify({ pid, name: 'gone', home: '/', args: ['no', 'such', 'arguments'] }),
    );
    expect((await runningRecords()).map(({ name }) => name)).not.toContain('gone');
    await expect(access(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('throws away half a record', async () => {
    const file = path.join(RUN_DIR, 'half.json');
    await mkdir(RUN_DIR, { recursive: true });
    await writeFile(file, '{"pid":');
    await runningRecords();
    await expect(access(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
