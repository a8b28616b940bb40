import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';
import { type PartProcess, spawnPart } from '../../local/process.ts';
import { LANE_VARIABLE, type LaneOptions } from './lane-options.ts';

const esbuildPlugins: Plugin[] = createRequire(import.meta.url)('../../tools/esbuild-plugins.cjs');
const GRACE_MS = 10_000;
/** The flags of the shift functions (NODE_OPTIONS in their .yml files). */
const NODE_FLAGS = { session: '--max-semi-space-size=8', pull: '--max-semi-space-size=16' } as const;

/** Starts our lane in a process of its own, bundled as it is deployed, by the Node.js that runs this. */
export async function startLane(home: string, options: LaneOptions): Promise<PartProcess> {
  const bundle = await bundleLane(home);
  return await spawnPart({
    name: `mqferry, ${options.path} path`,
    command: process.execPath,
    args: [
      NODE_FLAGS[options.path],
      ...(process.env.MQFERRY_BENCH_NODE_FLAGS ?? '').split(' ').filter(Boolean),
      bundle,
    ],
    home,
    // In the environment, since it holds a password.
    env: { ...process.env, [LANE_VARIABLE]: JSON.stringify(options) },
    logFile: path.join(home, 'lane.log'),
    graceMs: GRACE_MS,
  });
}

/** By the settings of `serverless.yml`: how code is loaded shows in the memory it takes. */
async function bundleLane(home: string): Promise<string> {
  await mkdir(home, { recursive: true });
  const outfile = path.join(home, 'lane.cjs');
  await build({
    entryPoints: [path.join(import.meta.dirname, 'lane-process.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    mainFields: ['module', 'main'],
    plugins: esbuildPlugins,
    logLevel: 'error',
  });
  return outfile;
}
