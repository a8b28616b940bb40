import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compiledStack, WORK } from './compiled-stack.ts';
import { environmentFor } from './function-environment.ts';

const MAX_ZIP_BYTES = 1_000_000;
/** The aim is 300 ms on an idle machine; here others use it too, and a wrong import costs seconds. */
const MAX_INIT_MS = 1_500;
const ROUNDS = 3;

const plain = compiledStack('plain');
const functions = plain.ofType('AWS::Lambda::Function').map(([id, { Handler, Environment }]) => ({
  key: id[0]?.toLowerCase() + id.slice(1, -'LambdaFunction'.length),
  handler: String(Handler),
  environment: environmentFor(Environment),
}));
const figures: string[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(WORK, 'bundles-'));
  // Lambda's folder holds no package.json: a .js file is CommonJS there, and would not be below ours.
  writeFileSync(path.join(folder, 'package.json'), '{"type":"commonjs"}');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`bundles (zip, fastest start of ${ROUNDS}):\n${figures.join('\n')}\n`);
});

describe.each(functions)('the bundle of $key', ({ key, handler, environment }) => {
  it('is one small file of plain JavaScript', () => {
    const zip = plain.zipOf(key);
    const files = filesIn(zip);
    expect(files).toEqual([handler.replace(/\.handler$/, '.js')]);
    expect(statSync(zip).size).toBeLessThan(MAX_ZIP_BYTES);
  });

  it('starts in a fresh process, and says how long that took', () => {
    const target = path.join(folder, key);
    unzip(plain.zipOf(key), target);
    const times = Array.from({ length: ROUNDS }, () => initMs(path.join(target, handler), environment));
    const fastest = Math.min(...times);
    const kilobytes = Math.ceil(statSync(plain.zipOf(key)).size / 1024);
    figures.push(`  ${key}: ${kilobytes} KB, ${fastest.toFixed(0)} ms`);
    expect(fastest).toBeLessThan(MAX_INIT_MS);
  });

  it('packs the private CAs beside it when there are some', () => {
    expect(filesIn(compiledStack('full').zipOf(key))).toContain('.local/infrastructure/private-ca.pem');
  });
});

/** Milliseconds from before the bundle is loaded until its handler is there, as Lambda's init phase does it. */
function initMs(handler: string, environment: Record<string, string>): number {
  const script = `
    const began = performance.now();
    const { handler } = require(${JSON.stringify(handler.replace(/\.handler$/, '.js'))});
    if (typeof handler !== 'function') throw new Error('no handler');
    console.log(performance.now() - began);
    process.exit(0);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    env: environment,
    timeout: 30_000,
  });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

function filesIn(zip: string): string[] {
  return run('python3', ['-m', 'zipfile', '-l', zip])
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s{2,}/)[0] ?? '')
    .filter((name) => name !== '');
}

function unzip(zip: string, target: string): void {
  run('python3', ['-m', 'zipfile', '-e', zip, target]);
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
  return stdout;
}
