import { readdir, readFile } from 'node:fs/promises';
import { listProcesses } from '../../local/process-table.ts';

/** Processes in which the emulator runs a function, by what it put into their environment. Linux only. */
export async function processesOfFunction(functionName: string, emulatorPid: number): Promise<number[]> {
  const found = await Promise.all(
    (await listProcesses()).map(async ({ pid }) => {
      const [environment, status] = await Promise.all([text(pid, 'environ'), text(pid, 'status')]);
      const isOfEmulator = new RegExp(`^PPid:\\s+${emulatorPid}$`, 'm').test(status);
      const isOfFunction = environment.split('\0').includes(`AWS_LAMBDA_FUNCTION_NAME=${functionName}`);
      return isOfEmulator && isOfFunction ? [pid] : [];
    }),
  );
  return found.flat();
}

/** Resident memory in MiB; undefined: it has ended. */
export async function residentMb(pid: number): Promise<number | undefined> {
  const kb = /VmRSS:\s+(\d+) kB/.exec(await text(pid, 'status'))?.[1];
  return kb === undefined ? undefined : Number(kb) / 1_024;
}

/** Open files and sockets; undefined: it has ended. */
export async function openHandles(pid: number): Promise<number | undefined> {
  const handles = await readdir(`/proc/${pid}/fd`).catch(() => undefined);
  return handles?.length;
}

/** Empty: it ended meanwhile, or is another user's. */
async function text(pid: number, name: string): Promise<string> {
  return readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
}
