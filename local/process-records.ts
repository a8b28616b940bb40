import { rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RUN_DIR } from './layout.ts';
import { listProcesses, type ProcessEntry } from './process-table.ts';

/** A pid file: what we started, and how to know it again. */
export interface ProcessRecord {
  pid: number;
  name: string;
  home: string;
  args: readonly string[];
  /** What it gets between SIGTERM and SIGKILL. */
  graceMs: number;
}

// Longer than any part's: it waits for them.
const STARTER_GRACE_MS = 20_000;

/** Name of the record of the process that starts a stack: it has to be told first, or it would report crashes. */
export const STARTER = 'the process that started the stack';

/** Writes a record of this process, and answers how to take it away; it goes by itself when the process ends. */
export async function rememberThisProcess(name: string, home: string): Promise<() => void> {
  const [self] = await listProcesses(process.pid);
  const args = self?.command.slice(1) ?? [];
  const record: ProcessRecord = { pid: process.pid, name, home, args, graceMs: STARTER_GRACE_MS };
  const file = path.join(RUN_DIR, `${process.pid}.json`);
  const forget = () => rmSync(file, { force: true });
  await mkdir(RUN_DIR, { recursive: true });
  await writeFile(file, JSON.stringify(record));
  process.once('exit', forget);
  return forget;
}

/** Records of processes that still run. Files of those that do not, or whose pid now belongs to something else, go. */
export async function runningRecords(): Promise<ProcessRecord[]> {
  const files = await readdir(RUN_DIR).catch(() => []);
  const records = await Promise.all(files.map((file) => readRecord(path.join(RUN_DIR, file))));
  return records.filter((record) => record !== undefined);
}

/** Whether a process is the one of the record: interpreters put themselves before the arguments, never behind. */
export function isRecorded(record: Pick<ProcessRecord, 'args'>, entry: ProcessEntry): boolean {
  const { args } = record;
  if (args.length === 0) return false;
  const command = entry.command.join(' ');
  return command.endsWith(` ${args.join(' ')}`);
}

async function readRecord(file: string): Promise<ProcessRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(file, 'utf8')) as ProcessRecord;
    const [entry] = await listProcesses(record.pid);
    if (entry !== undefined && isRecorded(record, entry)) return record;
  } catch {
    // Half-written by a process that was killed: as good as none.
  }
  await rm(file, { force: true });
  return undefined;
}
