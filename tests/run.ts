/**
 * `npm test`: every kind of check, cheapest first, stopping at the first that fails. The last lines are jest's.
 */
import { spawnSync } from 'node:child_process';

const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];

const steps: ReadonlyArray<{ name: string; args: readonly string[] }> = [
  {
    name: 'format and lint',
    args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
  },
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  { name: 'tests', args: [...jest, ...process.argv.slice(2)] },
];

for (const { name, args } of steps) {
  const began = performance.now();
  const { status, signal, error } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (error !== undefined || status !== 0) {
    const cause = error?.message ?? (signal === null ? `exit code ${status}` : `ended by ${signal}`);
    console.error(`npm test: "${name}" failed after ${seconds} s (${cause})`);
    process.exit(status ?? 1);
  }
  if (name !== 'tests') console.log(`npm test: ${name} passed in ${seconds} s`);
}
