/**
 * `npm test`: every kind of check, the cheapest first, stopping at the first that fails. What follows the command is
 * handed to jest. The last line counts all tests that ran.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const RESULTS = path.join(ROOT, '.local', 'test-results');

interface Counts {
  numPassedTests: number;
  numFailedTests: number;
  /** Files that failed before any of their tests ran. */
  numRuntimeErrorTestSuites: number;
}

mkdirSync(RESULTS, { recursive: true });
const total = { passed: 0, failed: 0 };

check('format and lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
check('types', ['node_modules/typescript/bin/tsc', '--noEmit']);
// Each phase by itself: those that start real parts need the machine's two cores.
jest('unit');
jest('infrastructure');
jest('integration', ['--runInBand']);
jest('end-to-end', ['--runInBand']);
end(0);

/** Runs a tool on Node 24, whichever Node began this. */
function run(name: string, args: readonly string[]): number {
  const began = performance.now();
  const { status, signal, error } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const code = status ?? 1;
  const cause = error?.message ?? (signal === null ? `exit code ${code}` : `ended by ${signal}`);
  console.log(
    `npm test: ${name} ${code === 0 ? 'passed' : 'failed'} after ${seconds} s${code === 0 ? '' : ` (${cause})`}`,
  );
  return code;
}

function check(name: string, args: readonly string[]): void {
  const code = run(name, args);
  if (code === 0) return;
  total.failed += 1;
  end(code);
}

function jest(project: string, args: readonly string[] = []): void {
  const outputFile = path.join(RESULTS, `${project}.json`);
  rmSync(outputFile, { force: true });
  const runner = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const options = ['--selectProjects', project, '--json', '--outputFile', outputFile, ...args];
  const code = run(`${project} tests`, [...runner, ...options, ...process.argv.slice(2)]);
  const counts = readCounts(outputFile);
  total.passed += counts.numPassedTests;
  total.failed += counts.numFailedTests + counts.numRuntimeErrorTestSuites;
  if (code === 0) return;
  if (counts.numFailedTests + counts.numRuntimeErrorTestSuites === 0) total.failed += 1;
  end(code);
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
