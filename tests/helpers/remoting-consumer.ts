import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A message as the classic Java client saw it. */
export interface RemotingMessage {
  body: Buffer;
  tag: string;
  /** As stored: joined by spaces. */
  keys: string;
  properties: Record<string, string>;
}

export interface RemotingConsumerOptions {
  /** Folder of RocketMQ's jars. */
  libraries: string;
  nameServer: string;
  topic: string;
  group: string;
  count: number;
  timeoutSeconds?: number;
}

const SOURCE = path.join(import.meta.dirname, 'java', 'RemotingConsumer.java');

/**
 * Starts the Java remoting client. Resolves when it is subscribed; `messages()` then resolves when `count` have come, or
 * rejects with what came instead.
 */
export async function startRemotingConsumer(
  options: RemotingConsumerOptions,
): Promise<{ messages(): Promise<RemotingMessage[]> }> {
  const seconds = options.timeoutSeconds ?? 60;
  const child = spawn(
    'java',
    [
      '-Xmx128m',
      '-XX:+UseSerialGC',
      '-Drocketmq.client.logUseSlf4j=true',
      '-cp',
      path.join(options.libraries, '*'),
      SOURCE,
      options.nameServer,
      options.topic,
      options.group,
      String(options.count),
      String(seconds),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const seen: RemotingMessage[] = [];
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2_000);
  });
  const lines = createInterface({ input: child.stdout });
  const ready = Promise.withResolvers<void>();
  lines.on('line', (line) => {
    if (line === 'ready') ready.resolve();
    else if (line.startsWith('{')) seen.push(parse(line));
  });
  const closed = once(child, 'close').then(([code]) => {
    if (code === 0) return seen;
    throw new Error(
      `the Java consumer of ${options.topic} read ${seen.length} of ${options.count} messages (exit ${code}) ${errors}`,
    );
  });
  closed.catch((error: Error) => ready.reject(error));
  await ready.promise;
  return { messages: () => closed };
}

function parse(line: string): RemotingMessage {
  const raw = JSON.parse(line) as {
    body: string;
    tag: string;
    keys: string;
    properties: Record<string, string>;
  };
  const text = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
  return {
    body: Buffer.from(raw.body, 'base64'),
    tag: text(raw.tag),
    keys: text(raw.keys),
    properties: Object.fromEntries(
      Object.entries(raw.properties).map(([name, value]) => [text(name), text(value)]),
    ),
  };
}
