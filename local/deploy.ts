import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { LocalStackError } from './errors.ts';
import { LOCAL_DIR, PROJECT_DIR } from './layout.ts';
import { withLock } from './lock.ts';
import type { Aws } from './parts/aws.ts';
import { runCommand } from './process.ts';

export interface DeployOptions {
  aws: Pick<Aws, 'endpoint' | 'region' | 'root'>;
  stage?: string;
  /** Folder of serverless.yml. Default: the project. */
  service?: string;
  /** Folder for the output of the deployment. */
  logs: string;
  signal?: AbortSignal | undefined;
}

export interface Deployment {
  stackName: string;
  apiId: string;
  /** Base URL of the HTTP API. */
  api: string;
  /** By logical id. */
  physicalIds: ReadonlyMap<string, string>;
}

const SERVERLESS = path.join(PROJECT_DIR, 'node_modules', 'serverless', 'bin', 'serverless.js');
const DEPLOY_TIMEOUT_MS = 180_000;
/** What tasks own goes one by one, at the pace that AWS allows. */
const REMOVE_TIMEOUT_MS = 600_000;
const LOCK_TIMEOUT_MS = REMOVE_TIMEOUT_MS + 60_000;

/** Logical id that Serverless gives the HTTP API. */
const HTTP_API = 'HttpApi';

/** `serverless deploy` to the emulator. */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { aws, signal, stage = 'local', service = PROJECT_DIR } = options;
  await serverless(
    // Whatever the stage: the brokers beside an emulator are on this machine.
    ['deploy', '--stage', stage, '--region', aws.region, '--param=allowLocalAddresses=true'],
    { ...options, service },
    { name: 'Deploying', timeoutMs: DEPLOY_TIMEOUT_MS },
  );
  signal?.throwIfAborted();
  return await describeDeployment(aws, `mqferry-${stage}`);
}

/** `serverless remove`. */
export async function remove(options: DeployOptions): Promise<void> {
  const { aws, stage = 'local', service = PROJECT_DIR } = options;
  await serverless(
    ['remove', '--stage', stage, '--region', aws.region],
    { ...options, service },
    { name: 'Removing', timeoutMs: REMOVE_TIMEOUT_MS },
  );
}

/** The SDK's configuration for the emulator, as the root user. */
export function rootConfig({ endpoint, region, root }: Pick<Aws, 'endpoint' | 'region' | 'root'>) {
  return { endpoint, region, credentials: root };
}

/** What a stack consists of. */
export async function describeDeployment(
  aws: Pick<Aws, 'endpoint' | 'region' | 'root'>,
  stackName: string,
): Promise<Deployment> {
  const client = new CloudFormationClient(rootConfig(aws));
  const physicalIds = new Map<string, string>();
  try {
    for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
      for (const { LogicalResourceId, PhysicalResourceId } of page.StackResourceSummaries ?? []) {
        if (LogicalResourceId !== undefined && PhysicalResourceId !== undefined)
          physicalIds.set(LogicalResourceId, PhysicalResourceId);
      }
    }
  } finally {
    client.destroy();
  }
  const apiId = physicalIds.get(HTTP_API);
  if (apiId === undefined) {
    throw new LocalStackError('NO_API', `The stack ${stackName} has no HTTP API among its resources.`);
  }
  return { stackName, apiId, api: `${aws.endpoint}/_aws/execute-api/${apiId}`, physicalIds };
}

async function serverless(
  args: readonly string[],
  options: DeployOptions & { service: string },
  { name, timeoutMs }: { name: string; timeoutMs: number },
): Promise<void> {
  if (!existsSync(path.join(options.service, 'serverless.yml'))) {
    throw new LocalStackError('NO_SERVICE', `There is no serverless.yml in ${options.service}.`);
  }
  const temporary = path.join(options.logs, 'tmp');
  await mkdir(temporary, { recursive: true });
  // Serverless and esbuild work in folders of the service, whichever stack they deploy to.
  await withLock(
    path.join(LOCAL_DIR, 'deploy.lock'),
    () =>
      runCommand({
        name,
        command: process.execPath,
        args: [SERVERLESS, ...args],
        home: options.service,
        env: environment(options.aws, temporary),
        logFile: path.join(options.logs, 'serverless.log'),
        timeoutMs,
        signal: options.signal,
        remedy: `Run it again after what the log says is put right.`,
      }),
    { timeoutMs: LOCK_TIMEOUT_MS, signal: options.signal },
  );
}

/** Nothing of the person's own AWS settings: no profile and no endpoint may lead this deployment to a real account. */
function environment(aws: DeployOptions['aws'], temporary: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(AWS|SLS|SERVERLESS)_/.test(name));
  return {
    ...Object.fromEntries(own),
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: aws.region,
    AWS_DEFAULT_REGION: aws.region,
    AWS_ACCESS_KEY_ID: aws.root.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.root.secretAccessKey,
    AWS_CONFIG_FILE: path.join(temporary, 'no-aws-config'),
    AWS_SHARED_CREDENTIALS_FILE: path.join(temporary, 'no-aws-credentials'),
    // How often it asks whether the stack is done, in ms; every 5 s otherwise.
    SLS_AWS_MONITORING_FREQUENCY: '300',
    SLS_NOTIFICATIONS_MODE: 'off',
    SLS_TELEMETRY_DISABLED: '1',
    TMPDIR: temporary,
  };
}
