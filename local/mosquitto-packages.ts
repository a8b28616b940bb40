import { execFile } from 'node:child_process';
import { access, constants, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { LOCAL_DIR } from './layout.ts';
import { withLock } from './lock.ts';

/** A broker that can be started where it lies. */
export interface MosquittoProgram {
  command: string;
  /** For LD_LIBRARY_PATH; undefined: the system knows its libraries. */
  libraryPath?: string;
}

/** Why there is none, in one sentence. */
export interface NoMosquitto {
  missing: string;
}

const run = promisify(execFile);

/** Not beside the jars: their folder is emptied before it is filled. */
const HOME = path.join(LOCAL_DIR, 'mosquitto');
const ROOT = path.join(HOME, 'root');
/** Debian puts it into sbin, which is not in every user's PATH. */
const USUAL_PLACES = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin', '/usr/local/opt/mosquitto/sbin'];
const COMMAND_TIMEOUT_MS = 120_000;
const LOCK_TIMEOUT_MS = 10 * 60_000;

/**
 * Mosquitto from the distribution's own packages, unpacked under `.local/` by whoever runs this: no root, nothing installed.
 * Where that is not possible, one that is installed.
 */
export async function findMosquitto(): Promise<MosquittoProgram | NoMosquitto> {
  await mkdir(LOCAL_DIR, { recursive: true });
  const unpackedReason = await withLock(path.join(LOCAL_DIR, 'mosquitto.lock'), unpackOnce, {
    timeoutMs: LOCK_TIMEOUT_MS,
  });
  const unpacked = path.join(ROOT, 'usr', 'sbin', 'mosquitto');
  if (await isExecutable(unpacked)) return { command: unpacked, libraryPath: await libraryPath() };
  for (const folder of [...(process.env.PATH ?? '').split(path.delimiter), ...USUAL_PLACES]) {
    const command = path.join(folder, 'mosquitto');
    if (await isExecutable(command)) return { command };
  }
  return { missing: `mosquitto is not installed, and its packages cannot be unpacked: ${unpackedReason}` };
}

/** Answers why it did not work, or undefined. */
async function unpackOnce(): Promise<string | undefined> {
  if (await isExecutable(path.join(ROOT, 'usr', 'sbin', 'mosquitto'))) return undefined;
  try {
    await unpack();
    return undefined;
  } catch (error) {
    // Any machine without apt comes here; what it lacks is told to whoever asked for the broker.
    const text = error instanceof Error ? error.message : String(error);
    return text.replace(/\s+/g, ' ').slice(0, 300);
  }
}

async function unpack(): Promise<void> {
  const packages = path.join(HOME, 'packages');
  const unfinished = path.join(HOME, 'unfinished');
  for (const folder of [packages, unfinished]) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
  }
  try {
    await download(aptIn(packages));
  } catch {
    await download(await aptWithOwnLists(packages));
  }
  for (const file of await readdir(packages)) {
    if (file.endsWith('.deb')) await run('dpkg', ['-x', path.join(packages, file), unfinished]);
  }
  await rm(ROOT, { recursive: true, force: true });
  await rename(unfinished, ROOT);
}

async function download(apt: Apt): Promise<void> {
  await apt('download', ...(await packageNames(apt)));
}

/** The broker and the libraries that this machine lacks, by the names that its distribution has for them. */
async function packageNames(apt: Apt): Promise<string[]> {
  const uris = await apt('install', '--print-uris', '-qq', '-y', '--no-install-recommends', 'mosquitto');
  const names = [...uris.matchAll(/^'[^']+' ([^_\s]+)_\S+\.deb /gm)].map(([, name]) => name ?? '');
  if (names.length === 0) throw new Error('apt-get names no packages');
  return names;
}

type Apt = (...args: string[]) => Promise<string>;

function aptIn(cwd: string, ...options: string[]): Apt {
  return async (...args) => {
    const { stdout } = await run('apt-get', ['-o', 'Debug::NoLocking=1', ...options, ...args], {
      cwd,
      timeout: COMMAND_TIMEOUT_MS,
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    });
    return stdout;
  };
}

/** Package lists of our own: images without any are common, and those of the system are not ours to write. */
async function aptWithOwnLists(cwd: string): Promise<Apt> {
  const lists = path.join(HOME, 'apt', 'lists');
  const cache = path.join(HOME, 'apt', 'cache');
  await mkdir(path.join(lists, 'partial'), { recursive: true });
  await mkdir(path.join(cache, 'archives', 'partial'), { recursive: true });
  const apt = aptIn(cwd, '-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`);
  await apt('update', '-qq');
  return apt;
}

async function libraryPath(): Promise<string> {
  const folders: string[] = [];
  for (const usr of ['usr/lib', 'lib']) {
    const lib = path.join(ROOT, usr);
    const names = await readdir(lib).catch(() => []);
    folders.push(lib, ...names.map((name) => path.join(lib, name)));
  }
  return folders.join(path.delimiter);
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
