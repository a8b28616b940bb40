import path from 'node:path';
import { LOCAL_DIR } from '../../local/layout.ts';
import { type Aws, startAws } from '../../local/parts/aws.ts';

declare global {
  var emulatorOfTheIntegrationTests: Aws | undefined;
}

/** One AWS emulator for all of them; each RocketMQ is its suite's own, since those are killed, stopped and misled. */
export default async function globalSetup(): Promise<void> {
  if (process.env.AWS_ENDPOINT_URL !== undefined) return;
  const aws = await startAws({ home: path.join(LOCAL_DIR, 'integration', 'aws') });
  globalThis.emulatorOfTheIntegrationTests = aws;
  process.env.AWS_ENDPOINT_URL = aws.endpoint;
}
