import { type ExecFileException, execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { CFN_LINT, ROOT, VARIANTS, type Variant, WORK } from './compiled-stack.ts';

const CFN_LINT_VERSION = '1.58.0';
const TIMEOUT_MS = 300_000;
const MAX_OUTPUT_BYTES = 16 * 1_024 * 1_024;

const execute = promisify(execFile);

/**
 * Packages the service as it is deployed, once for each variant, before the template tests: offline, without credentials
 * and away from the folders of a deploy that may be under way.
 */
export default async function setUp(): Promise<void> {
  const packaging = (async () => {
    // Serverless and esbuild work in one folder of the service.
    for (const variant of Object.keys(VARIANTS) as Variant[]) await packageService(variant);
  })();
  await Promise.all([packaging, installCfnLint()]);
}

async function packageService(variant: Variant): Promise<void> {
  const { stage, params } = VARIANTS[variant];
  const folder = path.join(WORK, variant);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(WORK, 'home'), { recursive: true });
  writeFileSync(path.join(WORK, 'private-ca.pem'), '');
  const given = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
  await run(process.execPath, [
    'node_modules/serverless/bin/serverless.js',
    'package',
    `--stage=${stage}`,
    '--region=eu-west-1',
    `--package=${folder}`,
    ...given,
  ]);
}

/** cfn-lint comes from PyPI, into a folder of this project. */
async function installCfnLint(): Promise<void> {
  const venv = path.dirname(path.dirname(CFN_LINT));
  const stamp = path.join(venv, 'cfn-lint.version');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === CFN_LINT_VERSION) return;
  rmSync(venv, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', venv]);
  await run(path.join(venv, 'bin', 'pip'), ['install', '--quiet', `cfn-lint==${CFN_LINT_VERSION}`]);
  writeFileSync(stamp, CFN_LINT_VERSION);
}

async function run(command: string, args: readonly string[]): Promise<void> {
  try {
    await execute(command, args, {
      cwd: ROOT,
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
      env: {
        PATH: [path.dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(path.delimiter),
        // No credentials, no configuration of the machine.
        HOME: path.join(WORK, 'home'),
        AWS_EC2_METADATA_DISABLED: 'true',
        MQFERRY_WORK_FOLDER: path.relative(ROOT, path.join(WORK, 'esbuild')),
        ...proxySettings(),
      },
    });
  } catch (error) {
    const { message, stdout, stderr } = error as ExecFileException & { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed: ${message}\n${stdout ?? ''}\n${stderr ?? ''}`);
  }
}

/** What pip needs to reach its registry on machines where that goes through a mirror or a proxy. */
function proxySettings(): Record<string, string> {
  const passed = /^(PIP_\w+|https?_proxy|no_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE)$/i;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      passed.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
}
