import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { compiledStack, ROOT, VARIANTS, type Variant } from './compiled-stack.ts';

/** The functions that may have a way to brokers; the API has one of them. */
const REACHING_BROKERS = ['probe', 'mqtt-to-rocketmq', 'rocketmq-to-mqtt', 'mqtt-session', 'redrive'];
/** What makes connections to addresses that users name. */
const BROKER_CLIENTS =
  /^(?:lib\/adapters\/(?:mqtt|rocketmq|rocketmq-admin)\/|node_modules\/(?:mqtt|@grpc|rocketmq-client-nodejs|ws|aws4fetch)\/)/;
const NETWORK = /\bfrom\s*["'](?:node:)?(?:net|tls|http|https|http2|dgram|dns|dns\/promises)["']|\bfetch\(/;
/** Beside those: the words of HTTP statuses, and what tells one address from another. */
const OTHERS = ['lib/api/problem.ts', 'lib/domain/clusters/cluster-address.ts'];

const functions = compiledStack('plain')
  .ofType('AWS::Lambda::Function')
  .map(([, { Handler, Environment }]) => ({
    name: path.basename(String(Handler), '.handler'),
    variables: ((Environment ?? {}) as { Variables?: Record<string, unknown> }).Variables ?? {},
  }));

/** Files that are left in a function's bundle, by tree shaking as for its deployment. */
async function bundled(name: string): Promise<{ files: string[]; text: string }> {
  const { metafile, outputFiles } = await build({
    entryPoints: [`functions/${name}.ts`],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: ['@node-rs/crc32'],
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  const files = Object.entries(output?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => file);
  return { files, text: outputFiles[0]?.text ?? '' };
}

describe('the way to brokers', () => {
  it.each(functions.filter(({ name }) => !REACHING_BROKERS.includes(name)))(
    'is not in the bundle of $name',
    async ({ name }) => {
      const { files } = await bundled(name);
      expect(files.length).toBeGreaterThan(10);
      expect(files.filter((file) => BROKER_CLIENTS.test(file))).toEqual([]);
    },
  );

  it.each(functions.filter(({ name }) => REACHING_BROKERS.includes(name)))(
    'is guarded in $name',
    async ({ name, variables }) => {
      const { files, text } = await bundled(name);
      expect(files.some((file) => BROKER_CLIENTS.test(file))).toBe(true);
      expect(text).toMatch(/guardAddresses\(\{\s*allowLocal: \w*\.?ALLOW_LOCAL_ADDRESSES/);
      expect(variables).toHaveProperty('ALLOW_LOCAL_ADDRESSES');
    },
  );

  it('is in no other code of ours', async () => {
    const { readFile, glob } = await import('node:fs/promises');
    const reaching: string[] = [];
    for await (const file of glob('{lib,functions}/**/*.ts', { cwd: ROOT })) {
      if (NETWORK.test(await readFile(path.join(ROOT, file), 'utf8'))) reaching.push(file);
    }
    const brokers = /^lib\/adapters\/(?:mqtt|rocketmq|rocketmq-admin|network)\//;
    expect(reaching.filter((file) => !brokers.test(file)).sort()).toEqual(OTHERS);
  });

  it.each(Object.keys(VARIANTS) as Variant[])(
    'leads to this machine in no stage but the local one, %s',
    (variant) => {
      const given = compiledStack(variant)
        .ofType('AWS::Lambda::Function')
        .flatMap(([, { Environment }]) => {
          const { Variables = {} } = (Environment ?? {}) as { Variables?: Record<string, unknown> };
          return 'ALLOW_LOCAL_ADDRESSES' in Variables ? [String(Variables.ALLOW_LOCAL_ADDRESSES)] : [];
        });
      expect(given).toHaveLength(REACHING_BROKERS.length + 1);
      expect(new Set(given)).toEqual(new Set(['false']));
    },
  );
});
