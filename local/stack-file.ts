import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** `.local/stack.json`: where everything is, for people, scripts and tests. */
export interface StackFile {
  /** Base URL of the deployed HTTPS API, without a slash at the end. */
  api: string;
  /** The key is an IAM user's that may call the API, and nothing else. */
  aws: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };
  /** Where devices connect by MQTT over websocket. */
  iot: { url: string; headers: Record<string, string> };
  mqtt: { url: string; username: string; password: string };
  rocketmq: { endpoint: string; nameServer: string };
  /** Ids under which the three are registered. */
  clusters: { iot: string; mqtt: string; rocketmq: string };
}

/** Readers never see half a file. */
export async function writeStackFile(file: string, content: StackFile): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}

/** Throws when there is none. */
export async function readStackFile(file: string): Promise<StackFile> {
  return JSON.parse(await readFile(file, 'utf8')) as StackFile;
}
