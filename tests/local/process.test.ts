import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LOCAL_DIR, PROJECT_DIR, RUN_DIR } from '../../local/layout.ts';
import { lineIn } from '../../local/log-file.ts';
import { type PartOptions, runCommand, spawnPart } from '../../local/process.ts';
import { listProcesses } from '../../local/process-table.ts';

const HOME = path.join(LOCAL_DIR, 'unit', `process-${process.pid}`);

let count = 0;

beforeAll(async () => {
  await mkdir(HOME, { recursive: true });
});

afterAll(async () => {
  await rm(HOME, { recursive: true, force: true });
});

/** A part that is a shell script. */
function shell(script: string, options: Partial<PartOptions> = {}): PartOptions {
  count += 1;
  return {
    name: 'Example',
    command: '/bin/sh',
    args: ['-c', script],
    home: HOME,
    env: { PATH: process.env.PATH },
    logFile: path.join(HOME, `${count}.log`),
    ...options,
  };
}

const isRunning = async (pid: number) => (await listProcesses(pid)).length > 0;

describe('spawnPart', () => {
  it('is ready by a line of its output', async () => {
    const part = await spawnPart(shell('echo booting; sleep 0.2; echo ready; exec sleep 60'));
    await part.ready(/^ready$/, { timeoutMs: 10_000 });
    expect(await isRunning(part.pid)).toBe(true);
    await part.kill();
  });

  it('tells the exit code and its last words when it ends before it is ready', async () => {
    const part = await spawnPart(shell('echo the port is taken; exit 3'));
    await expect(part.ready(/^ready$/, { timeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'PART_ENDED',
      message: expect.stringMatching(
        /Example ended before it was ready \(exit code 3\)[\s\S]*the port is taken/,
      ),
    });
  });

  it('notices an end that came before anybody asked', async () => {
    const part = await spawnPart(shell('exit 4'));
    await part.exited;
    await expect(part.ready(/^ready$/, { timeoutMs: 10_000 })).rejects.toMatchObject({ code: 'PART_ENDED' });
  });

  it('gives up on a part that never gets ready', async () => {
    const part = await spawnPart(shell('echo still thinking; exec sleep 60'));
    await expect(part.ready(/^ready$/, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'PART_NOT_READY' });
    await part.kill();
  });

  it('does not take a line of an earlier run for the present one', async () => {
    const first = shell('echo ready');
    await (await spawnPart(first)).exited;
    const part = await spawnPart({ ...first, args: ['-c', 'exec sleep 60'] });
    await expect(part.ready(/^ready$/, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'PART_NOT_READY' });
    await part.kill();
  });

  it("rejects with the signal's reason when it is interrupted", async () => {
    const interruption = new AbortController();
    const part = await spawnPart(shell('exec sleep 60'));
    const ready = part.ready(/^ready$/, { timeoutMs: 10_000, signal: interruption.signal });
    interruption.abort(new Error('Ctrl-C'));
    await expect(ready).rejects.toThrow('Ctrl-C');
    await part.kill();
  });

  it('says which program could not be started', async () => {
    await expect(spawnPart(shell('', { command: 'no-such-program' }))).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('Example could not be started: no-such-program'),
    });
  });

  it('keeps a pid file while it runs', async () => {
    const part = await spawnPart(shell('exec sleep 60'));
    const file = path.join(RUN_DIR, `${part.pid}.json`);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      pid: part.pid,
      name: 'Example',
      home: HOME,
    });
    await part.kill();
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('stops with SIGTERM, so that the part can tidy up', async () => {
    const part = await spawnPart(
      shell('trap "echo tidied; exit 0" TERM; echo ready; while :; do sleep 0.05; done'),
    );
    await part.ready(/^ready$/, { timeoutMs: 10_000 });
    await part.stop();
    expect(await part.exited).toEqual({ code: 0, signal: null });
    expect(await readFile(part.logFile, 'utf8')).toContain('tidied');
  });

  it('kills a part that does not heed SIGTERM', async () => {
    const part = await spawnPart(
      shell('trap "" TERM; echo ready; while :; do sleep 0.05; done', { graceMs: 100 }),
    );
    await part.ready(/^ready$/, { timeoutMs: 10_000 });
    await part.stop();
    expect((await part.exited).signal).toBe('SIGKILL');
  });

  it('takes its own children with it', async () => {
    const part = await spawnPart(shell('(trap "" TERM; exec sleep 60) & echo "child $!"; wait'));
    await part.ready(/^child \d+$/, { timeoutMs: 10_000 });
    const child = Number(/child (\d+)/.exec(await readFile(part.logFile, 'utf8'))?.[1]);
    expect(await isRunning(child)).toBe(true);
    await part.stop();
    expect(await isRunning(child)).toBe(false);
  });

  it.each([
    { how: 'goes with the process that started it', detach: '', running: false },
    { how: 'lives on once it is detached', detach: 'part.detach();', running: true },
  ])('$how', async ({ detach, running }) => {
    const options = shell('exec sleep 60');
    const script = `
      import { spawnPart } from './local/process.ts';
      const part = await spawnPart(${JSON.stringify(options)});
      ${detach}
      console.log(part.pid);
      process.exit(0);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: PROJECT_DIR,
    });
    const pid = Number(stdout);
    expect(await isRunning(pid)).toBe(running);
    if (running) process.kill(pid, 'SIGKILL');
  });
});

describe('runCommand', () => {
  const limits = { timeoutMs: 10_000, remedy: 'Do this.' };

  it('resolves when the command succeeds', async () => {
    await expect(runCommand({ ...shell('true'), ...limits })).resolves.toBeUndefined();
  });

  it('fails with the remedy and the last words', async () => {
    await expect(runCommand({ ...shell('echo no route to host; exit 7'), ...limits })).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(/Example failed \(exit code 7\)\. Do this\.[\s\S]*no route to host/),
    });
  });

  it('ends a command that takes too long', async () => {
    await expect(runCommand({ ...shell('exec sleep 60'), ...limits, timeoutMs: 100 })).rejects.toThrow(
      'Example took longer than 0.1 s',
    );
  });

  it('ends the command when it is interrupted', async () => {
    const interruption = new AbortController();
    const options = shell('echo "pid $$"; exec sleep 60');
    await writeFile(options.logFile, '');
    const running = runCommand({ ...options, ...limits, signal: interruption.signal });
    const line = await lineIn(options.logFile, /^pid \d+$/, { from: 0, signal: AbortSignal.timeout(10_000) });
    interruption.abort(new Error('Ctrl-C'));
    await expect(running).rejects.toThrow('Ctrl-C');
    expect(await isRunning(Number(line.slice(4)))).toBe(false);
  });
});
