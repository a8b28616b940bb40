import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { LOCAL_DIR } from '../../local/layout.ts';
import { type Aws, startAws } from '../../local/parts/aws.ts';
import { shareRocketmq } from './rocketmq/shared-rocketmq.ts';

declare global {
  var emulatorOfTheIntegrationTests: Aws | undefined;
}

/** One AWS emulator for all of them, and one RocketMQ, since their files run one after the other. */
export default async function globalSetup(
  _: unknown,
  project: { displayName: { name: string } },
): Promise<void> {
  const home = path.join(LOCAL_DIR, project.displayName.name);
  await mkdir(home, { recursive: true });
  await shareRocketmq(path.join(home, 'rocketmq.json'));
  if (process.env.AWS_ENDPOINT_URL !== undefined) return;
  const aws = await startAws({ home: path.join(home, 'aws') });
  globalThis.emulatorOfTheIntegrationTests = aws;
  process.env.AWS_ENDPOINT_URL = aws.endpoint;
}
