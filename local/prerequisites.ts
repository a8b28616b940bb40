import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { LocalStackError } from './errors.ts';
import { PROJECT_DIR } from './layout.ts';

/** Commands that the stack is started with. */
export interface Tools {
  java: string;
  maven: string;
  python: string;
  /** `Java 17.0.15, Python 3.11.7`. */
  versions: string;
}

/** What the machine answered; undefined where there is no such command. */
export interface Found {
  node: string;
  /** Output of `java -version`. */
  java: string | undefined;
  /** Whether the Java found can compile. */
  javaCompiler: boolean;
  maven: string | undefined;
  /** `3.11.7`, as Python says it. */
  python: string | undefined;
  /** Whether Python can make virtual environments. */
  pythonVenv: boolean;
  /** Whether `npm ci` has been run. */
  packages: boolean;
}

const MINIMUM = { node: [20], java: [17], python: [3, 10] } as const;

const run = promisify(execFile);

/** One sentence, with the remedy, for each thing that is missing. Empty: all is there. */
export function missingTools(found: Found): string[] {
  const problems: (string | undefined)[] = [
    olderThan(found.node, MINIMUM.node)
      ? `Node ${found.node} is too old: install Node 20 or newer (https://nodejs.org).`
      : undefined,
    found.packages ? undefined : 'The packages are not installed: run "npm ci" first.',
    javaProblem(found),
    found.maven === undefined
      ? 'Maven is missing: install it (package "maven", or https://maven.apache.org) so that "mvn" is on the PATH.'
      : undefined,
    pythonProblem(found),
  ];
  return problems.filter((problem) => problem !== undefined);
}

/** Looks at the machine; throws one `LocalStackError` that names everything missing. */
export async function checkPrerequisites(env: NodeJS.ProcessEnv = process.env): Promise<Tools> {
  const java = env.JAVA_HOME ? path.join(env.JAVA_HOME, 'bin', 'java') : 'java';
  const python = 'python3';
  const [javaVersion, modules, maven, pythonVersion, venv, packages] = await Promise.all([
    output(java, ['-version'], env),
    output(java, ['--list-modules'], env),
    findOnPath('mvn', env),
    output(python, ['-c', 'import platform; print(platform.python_version())'], env),
    output(python, ['-c', 'import venv, ensurepip'], env),
    access(path.join(PROJECT_DIR, 'node_modules', 'serverless')).then(
      () => true,
      () => false,
    ),
  ]);
  const problems = missingTools({
    node: process.versions.node,
    java: javaVersion,
    javaCompiler: modules?.includes('jdk.compiler') ?? false,
    maven,
    python: pythonVersion?.trim(),
    pythonVenv: venv !== undefined,
    packages,
  });
  if (problems.length > 0) throw new LocalStackError('PREREQUISITE_MISSING', problems.join('\n'));
  const versions = `Java ${javaNumber(javaVersion)}, Python ${pythonVersion?.trim()}`;
  return { java, maven: maven ?? 'mvn', python, versions };
}

function javaProblem({ java, javaCompiler }: Found): string | undefined {
  const remedy = 'install a JDK 17 or newer (package "openjdk-17-jdk-headless", or https://adoptium.net)';
  if (java === undefined) return `Java is missing: ${remedy}, or let JAVA_HOME point to it.`;
  const version = javaNumber(java);
  if (olderThan(version, MINIMUM.java)) return `Java ${version} is too old: ${remedy}.`;
  if (!javaCompiler) return `Java ${version} is a runtime without compiler: ${remedy}.`;
  return undefined;
}

function javaNumber(output: string | undefined): string {
  return /version "([\d.]+)/.exec(output ?? '')?.[1] ?? 'of unknown version';
}

function pythonProblem({ python, pythonVenv }: Found): string | undefined {
  const remedy = 'install Python 3.10 or newer (https://www.python.org)';
  if (python === undefined) return `Python is missing: ${remedy} so that "python3" is on the PATH.`;
  if (olderThan(python, MINIMUM.python)) return `Python ${python} is too old: ${remedy}.`;
  if (!pythonVenv)
    return `Python ${python} cannot make virtual environments: install its venv module (package "python3-venv").`;
  return undefined;
}

/** Compares part by part. Java 8 calls itself 1.8. What cannot be read counts as too old. */
function olderThan(version: string, minimum: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of minimum.entries()) {
    const part = parts[index];
    if (part === undefined || Number.isNaN(part) || part < least) return true;
    if (part > least) return false;
  }
  return false;
}

/** Everything the command says, or undefined when it cannot be run or fails. */
async function output(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(command, args, { env, timeout: 30_000 });
    return stdout + stderr;
  } catch {
    return undefined;
  }
}

async function findOnPath(command: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env.PATH ?? '').split(path.delimiter)) {
    const candidate = path.join(folder, command);
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && executable) return candidate;
  }
  return undefined;
}
