import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startFakeProxy } from '../../../helpers/fake-rocketmq-proxy.ts';

const LIB = path.resolve(import.meta.dirname, '../../../../lib');

describe('RocketmqProducer', () => {
  it('lets a process end that has sent and not closed', async () => {
    const proxy = await startFakeProxy({ topics: { normal: { types: ['NORMAL'] } } });
    const program = `
      const { RocketmqProducer } = await import('${LIB}/adapters/rocketmq/producer.ts');
      const { systemClock } = await import('${LIB}/adapters/system/clock.ts');
      const producer = new RocketmqProducer({
        endpoint: '${proxy.endpoint}', tls: false, multiMessage: 'auto', clock: systemClock,
      });
      const message = { rocketmqTopic: 'normal', body: Buffer.from('x'), keys: [], properties: new Map() };
      const [result] = await producer.send('normal', [message], { deadlineMs: Date.now() + 5_000 });
      process.stdout.write(result.status);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const timeout = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const [code, signal] = await once(child, 'close');
    clearTimeout(timeout);
    proxy.stop();
    expect({ output, code, signal }).toEqual({ output: 'stored', code: 0, signal: null });
  }, 20_000);
});
