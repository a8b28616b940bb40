import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CFN_LINT, ROOT, VARIANTS, type Variant, WORK } from './compiled-stack.ts';

const CFN_LINT_VERSION = '1.58.0';

/**
 * Packages the service as it is deployed, once for each variant, before the template tests: offline, without credentials
 * and away from the folders of a deploy that may be under way.
 */
export default function setUp(): void {
  for (const variant of Object.keys(VARIANTS) as Variant[]) packageService(variant);
  installCfnLint();
}

function packageService(variant: Variant): void {
  const { stage, params } = VARIANTS[variant];
  const folder = path.join(WORK, variant);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(WORK, 'home'), { recursive: true });
  writeFileSync(path.join(WORK, 'private-ca.pem'), '');
  const given = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
  run(process.execPath, [
    'node_modules/serverless/bin/serverless.js',
    'package',
    `--stage=${stage}`,
    '--region=eu-west-1',
    `--package=${folder}`,
    ...given,
  ]);
}

/** cfn-lint comes from PyPI, into a folder of this project. */
function installCfnLint(): void {
  const venv = path.dirname(path.dirname(CFN_LINT));
  const stamp = path.join(venv, 'cfn-lint.version');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === CFN_LINT_VERSION) return;
  rmSync(venv, { recursive: true, force: true });
  run('python3', ['-m', 'venv', venv]);
  run(path.join(venv, 'bin', 'pip'), ['install', '--quiet', `cfn-lint==${CFN_LINT_VERSION}`]);
  writeFileSync(stamp, CFN_LINT_VERSION);
}

function run(command: string, args: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 300_000,
    env: {
      PATH: [path.dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(path.delimiter),
      // No credentials, no configuration of the machine.
      HOME: path.join(WORK, 'home'),
      AWS_EC2_METADATA_DISABLED: 'true',
      MQFERRY_WORK_FOLDER: path.relative(ROOT, path.join(WORK, 'esbuild')),
      ...proxySettings(),
    },
  });
  if (status === 0) return;
  throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `${stdout}\n${stderr}`}`);
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
