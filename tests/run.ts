/**
 * `npm test`: every kind of check, the cheapest first, stopping at the first that fails. What follows the command is
 * handed to jest. The last line counts all tests that ran.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, watch } from 'node:fs';
import path from 'node:path';
import { quickJavaOptions } from './helpers/quick-java.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const RESULTS = path.join(ROOT, '.local', 'test-results');

interface Counts {
  numPassedTests: number;
  numFailedTests: number;
  /** Files that failed before any of their tests ran. */
  numRuntimeErrorTestSuites: number;
}

/** The longest phase takes six minutes on two processors. */
const LONGEST_MS = 25 * 60_000;
/** A runner that has written its results and does not end was kept alive by a test that left something open. */
const END_WITHIN_MS = 30_000;
/** After being asked to end. */
const KILL_AFTER_MS = 10_000;

mkdirSync(RESULTS, { recursive: true });
const total = { passed: 0, failed: 0 };

const ENVIRONMENT = { ...process.env, JAVA_TOOL_OPTIONS: quickJavaOptions() };

await Promise.all([
  check('format and lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']),
  check('types', ['node_modules/typescript/bin/tsc', '--noEmit']),
]);
// Each phase by itself: those that start real parts need the machine's two cores. Those of integration mostly wait, and so does
// the packaging that infrastructure begins with. Left to itself, jest leaves one processor of two idle.
await jest({ unit: ['--maxWorkers=100%'], infrastructure: ['--runInBand'] });
await jest({
  'integration-rocketmq': ['--runInBand'],
  'integration-replication': ['--runInBand'],
  integration: ['--runInBand'],
});
await jest({ 'end-to-end': ['--runInBand'] });
end(0);

/**
 * Runs a tool on Node 24, whichever Node began this, within a bound: what hangs is ended, and counts as failed.
 *
 * @param outputFile - written by the tool when it has only to end yet
 */
async function run(name: string, args: readonly string[], outputFile?: string): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { cwd: ROOT, env: ENVIRONMENT, stdio: 'inherit' });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const stop = (why: string) => {
    console.log(`npm test: ${name} ${why}: ended`);
    child.kill('SIGTERM');
    killing = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  };
  let killing: NodeJS.Timeout | undefined;
  let ending: NodeJS.Timeout | undefined;
  const bound = setTimeout(() => stop(`took longer than ${LONGEST_MS / 60_000} min`), LONGEST_MS);
  const results = watch(RESULTS, (_event, changed) => {
    if (outputFile === undefined || changed !== path.basename(outputFile)) return;
    ending ??= setTimeout(
      () => stop('did not end after its results; a test left something open'),
      END_WITHIN_MS,
    );
  });
  const [status, signal] = await exited.finally(() => {
    results.close();
    for (const timer of [bound, ending, killing]) clearTimeout(timer);
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const code = status ?? 1;
  const cause = signal === null ? `exit code ${code}` : `ended by ${signal}`;
  console.log(
    `npm test: ${name} ${code === 0 ? 'passed' : 'failed'} after ${seconds} s${code === 0 ? '' : ` (${cause})`}`,
  );
  return code;
}

async function check(name: string, args: readonly string[]): Promise<void> {
  const code = await run(name, args);
  if (code === 0) return;
  total.failed += 1;
  end(code);
}

/** The projects of one phase, each with its arguments, side by side. */
async function jest(projects: Record<string, readonly string[]>): Promise<void> {
  const codes = await Promise.all(
    Object.entries(projects).map(([project, args]) => runProject(project, args)),
  );
  const failed = codes.find((code) => code !== 0);
  if (failed !== undefined) end(failed);
}

async function runProject(project: string, args: readonly string[]): Promise<number> {
  const outputFile = path.join(RESULTS, `${project}.json`);
  rmSync(outputFile, { force: true });
  const runner = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const options = ['--selectProjects', project, '--json', '--outputFile', outputFile, ...args];
  const code = await run(`${project} tests`, [...runner, ...options, ...process.argv.slice(2)], outputFile);
  const counts = readCounts(outputFile);
  total.passed += counts.numPassedTests;
  total.failed += counts.numFailedTests + counts.numRuntimeErrorTestSuites;
  if (code !== 0 && counts.numFailedTests + counts.numRuntimeErrorTestSuites === 0) total.failed += 1;
  return code;
}

function readCounts(outputFile: string): Counts {
  try {
    return JSON.parse(readFileSync(outputFile, 'utf8')) as Counts;
  } catch {
    // Jest ended before it wrote any result; its exit code says so.
    return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };
  }
}

function end(code: number): never {
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exit(code);
}
