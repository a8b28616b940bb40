import { watch } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';

/** The last lines of a log, indented, for an error that has to say why. */
export async function tail(file: string, lines = 12): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .trimEnd()
    .split('\n')
    .slice(-lines)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join('\n');
}

/**
 * Resolves with the first line after byte `from` that matches `pattern`, written before or after the call. Rejects with
 * the signal's reason.
 */
export async function lineIn(
  file: string,
  pattern: RegExp,
  { from, signal }: { from: number; signal: AbortSignal },
): Promise<string> {
  const handle = await open(file, 'r');
  const found = Promise.withResolvers<string>();
  const readOn = createLineReader(handle, from, (line) => {
    if (pattern.test(line)) found.resolve(line);
  });
  const watcher = watch(file, () => {
    readOn().catch(found.reject);
  });
  watcher.on('error', found.reject);
  const abort = () => found.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    // Only now: what was written before the watcher stood raised no event.
    readOn().catch(found.reject);
    return await found.promise;
  } finally {
    signal.removeEventListener('abort', abort);
    watcher.close();
    await readOn().catch(() => undefined);
    await handle.close();
  }
}

/** Reads what a file gained since the last call; calls queue up, so that no byte is read twice. */
function createLineReader(
  handle: FileHandle,
  from: number,
  onLine: (line: string) => void,
): () => Promise<void> {
  const chunk = Buffer.alloc(64 * 1024);
  let position = from;
  let rest = '';
  let reading = Promise.resolve();
  const readToEnd = async () => {
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const lines = (rest + chunk.toString('utf8', 0, bytesRead)).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    }
  };
  return () => {
    reading = reading.then(readToEnd);
    return reading;
  };
}
