import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readStackFile, type StackFile, writeStackFile } from '../../local/stack-file.ts';

const CONTENT: StackFile = {
  api: 'http://127.0.0.1:4566/_aws/execute-api/abc',
  aws: { endpoint: 'http://127.0.0.1:4566', region: 'eu-west-1', accessKeyId: 'AKIA', secretAccessKey: 'x' },
  iot: { url: 'ws://127.0.0.1:4566/mqtt', headers: { Host: 'data-ats.iot.eu-west-1.localhost:4566' } },
  mqtt: { url: 'mqtt://127.0.0.1:1883', username: 'factory', password: 'y' },
  rocketmq: { endpoint: '127.0.0.1:8081', nameServer: '127.0.0.1:9876' },
  clusters: { iot: 'devices', mqtt: 'factory', rocketmq: 'business' },
};

describe('writeStackFile', () => {
  it('writes what readStackFile reads, for the owner only, and leaves no draft', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'stack-file-'));
    const file = path.join(dir, 'deeper', 'stack.json');
    await writeStackFile(file, CONTENT);
    expect(await readStackFile(file)).toEqual(CONTENT);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(path.dirname(file))).toEqual(['stack.json']);
    await rm(dir, { recursive: true });
  });
});
