import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { DOWNLOADS, LOCAL_DIR, PROJECT_DIR } from './layout.ts';
import { withLock } from './lock.ts';
import { checkPrerequisites, type Tools } from './prerequisites.ts';
import { runCommand } from './process.ts';

export interface DownloadOptions {
  tools?: Tools | undefined;
  signal?: AbortSignal | undefined;
  /** Told once, and only when there is something to fetch. */
  onFetch?: ((what: string) => void) | undefined;
}

const JAVA_DIR = path.join(PROJECT_DIR, 'local', 'java');
const REQUIREMENTS = path.join(PROJECT_DIR, 'local', 'python-requirements.txt');
const MQTT_BROKER_SOURCE = path.join(JAVA_DIR, 'mqtt-broker', 'MqttBroker.java');

const run = promisify(execFile);

// Generous: a slow line takes minutes for 200 MB; it only has to end some time.
const TIMEOUT_MS = 15 * 60_000;

/** The jars of RocketMQ and of the MQTT broker, from Maven, each in its folder under `.local/lib`. True: they had to be fetched. */
export async function ensureJars(options: DownloadOptions = {}): Promise<boolean> {
  return await ensureMavenJars(
    {
      what: 'RocketMQ and the MQTT broker, from Maven (about 200 MB)',
      target: DOWNLOADS.jars,
      pom: path.join(JAVA_DIR, 'pom.xml'),
      modules: MODULES,
    },
    options,
  );
}

/** The compiled launcher of the MQTT broker; needs its jars. */
export async function ensureMqttBrokerClass(options: DownloadOptions = {}): Promise<string> {
  const classes = path.join(DOWNLOADS.mqttBroker, 'classes');
  await ensureJavaClasses(
    {
      what: 'the MQTT broker',
      target: classes,
      source: MQTT_BROKER_SOURCE,
      jars: DOWNLOADS.mqttBroker,
    },
    options,
  );
  return classes;
}

/** What a POM names, at run time, in one folder for each artifact under `target`. True: it had to be fetched. */
export async function ensureMavenJars(
  { what, target, pom, modules = [] }: { what: string; target: string; pom: string; modules?: string[] },
  options: DownloadOptions = {},
): Promise<boolean> {
  const name = target === DOWNLOADS.jars ? 'jars' : path.basename(target);
  return await ensure(name, target, [pom, ...modules], options, async ({ maven }) => {
    options.onFetch?.(what);
    await rm(target, { recursive: true, force: true });
    await runCommand({
      name: 'The download by Maven',
      command: maven,
      args: ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-Dlibraries=${target}`],
      home: LOCAL_DIR,
      // A short run: the cheaper compiler and collector save half of its processor time.
      env: { MAVEN_OPTS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC', ...process.env },
      logFile: path.join(LOCAL_DIR, 'logs', 'maven.log'),
      timeoutMs: TIMEOUT_MS,
      signal: options.signal,
      remedy: 'Does Maven reach its repository (network, proxy in ~/.m2/settings.xml)? Then try again.',
    });
  });
}

/** Compiles one source against a folder of jars. */
export async function ensureJavaClasses(
  { what, target, source, jars }: { what: string; target: string; source: string; jars: string },
  options: DownloadOptions = {},
): Promise<void> {
  const name = `${path.basename(jars)}-class`;
  await ensure(name, target, [source], options, async ({ java }) => {
    const files = (await readdir(jars)).filter((file) => file.endsWith('.jar'));
    await runCommand({
      name: `Compiling ${what}`,
      command: java,
      args: [
        '-m',
        'jdk.compiler/com.sun.tools.javac.Main',
        ...['-cp', files.map((jar) => path.join(jars, jar)).join(path.delimiter)],
        ...['-proc:none', '-d', target, source],
      ],
      home: LOCAL_DIR,
      env: process.env,
      logFile: path.join(LOCAL_DIR, 'logs', 'javac.log'),
      timeoutMs: 120_000,
      signal: options.signal,
      remedy: 'Is the Java in use a JDK?',
    });
  });
}

/** The AWS emulator in a virtual environment of Python. True: it had to be fetched. */
export async function ensureEmulator(options: DownloadOptions = {}): Promise<boolean> {
  return await ensurePythonTools(DOWNLOADS.venv, REQUIREMENTS, 'the AWS emulator', options);
}

/** A virtual environment with what a requirements file names. True: it had to be made. */
export async function ensurePythonTools(
  venv: string,
  requirements: string,
  what: string,
  options: DownloadOptions = {},
): Promise<boolean> {
  return await ensure(path.basename(venv), venv, [requirements], options, async ({ python }) => {
    options.onFetch?.(`${what}, from PyPI`);
    await rm(venv, { recursive: true, force: true });
    const common = {
      home: LOCAL_DIR,
      env: process.env,
      logFile: path.join(LOCAL_DIR, 'logs', 'pip.log'),
      timeoutMs: TIMEOUT_MS,
      signal: options.signal,
    };
    // The machine's own pip can install into a bare environment, which is made in no time; giving it a pip of its own
    // would double the time of the whole.
    const bare = await canInstallElsewhere(python);
    await runCommand({
      ...common,
      name: 'Making a virtual environment of Python',
      command: python,
      args: ['-m', 'venv', ...(bare ? ['--without-pip'] : []), venv],
      remedy: 'Is there room on the disk, and does Python have its venv module (package "python3-venv")?',
    });
    const interpreter = path.join(venv, 'bin', 'python');
    await runCommand({
      ...common,
      name: 'The download by pip',
      command: bare ? python : interpreter,
      args: [
        ...['-m', 'pip', ...(bare ? ['--python', interpreter] : []), 'install', '-q'],
        // Compiling all of botocore takes longer than fetching it, and most of it is never imported.
        ...['--no-compile', '--disable-pip-version-check', '-r', requirements],
      ],
      remedy: 'Does pip reach its index (network, proxy, PIP_INDEX_URL)? Then try again.',
    });
  });
}

const MODULES = ['rocketmq', 'mqtt-broker'].map((module) => path.join(JAVA_DIR, module, 'pom.xml'));

/** Whether Python has a pip that surely knows `--python`, which came in the course of 22. */
async function canInstallElsewhere(python: string): Promise<boolean> {
  try {
    const { stdout } = await run(python, ['-m', 'pip', '--version'], { timeout: 30_000 });
    return Number(/^pip (\d+)/.exec(stdout)?.[1] ?? 0) >= 23;
  } catch {
    return false;
  }
}

/**
 * Makes `target` unless a finished one from the same inputs is there. The mark is written last, so that what was cut off
 * is made again; the lock keeps a second process from making it at the same time.
 */
async function ensure(
  name: string,
  target: string,
  inputs: readonly string[],
  options: DownloadOptions,
  make: (tools: Tools) => Promise<void>,
): Promise<boolean> {
  const fingerprint = createHash('sha256');
  for (const input of inputs) fingerprint.update(await readFile(input));
  const wanted = fingerprint.digest('hex');
  const mark = path.join(target, '.complete');
  const isThere = async () => (await readFile(mark, 'utf8').catch(() => '')) === wanted;
  if (await isThere()) return false;
  await mkdir(LOCAL_DIR, { recursive: true });
  return await withLock(
    path.join(LOCAL_DIR, `${name}.lock`),
    async () => {
      if (await isThere()) return false;
      await make(options.tools ?? (await checkPrerequisites()));
      await writeFile(mark, wanted);
      return true;
    },
    { timeoutMs: TIMEOUT_MS, signal: options.signal },
  );
}
