import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { LOCAL_DIR } from '../../local/layout.ts';
import type { ExactPath } from './paths.ts';

const HOOK = pathToFileURL(path.join(import.meta.dirname, 'copy-debug-lines.mjs'));
const LINES = path.join(LOCAL_DIR, 'exactness-lines.ndjson');
const JOINED: ReadonlySet<unknown> = new Set(['message stored', 'message published']);

/** What makes every function tell of each message, and where it can be read at once. */
export const DEBUG_LINES = {
  LOG_LEVEL: 'DEBUG',
  NODE_OPTIONS: `--import=${HOOK}`,
  EXACTNESS_LINES: LINES,
};

/** Nothing was told yet. */
export async function forgetLines(): Promise<void> {
  await rm(LINES, { force: true });
}

/**
 * Synchronisation latency of each message that a task has carried, in ms, as its function has told it for this one message: lines for
 * debugging, which know nothing of histograms.
 */
export async function rawLatencies({ rocketmqTopic }: Pick<ExactPath, 'rocketmqTopic'>): Promise<number[]> {
  const text = await readFile(LINES, 'utf8');
  return text.split('\n').flatMap((line) => latencyIn(line, rocketmqTopic) ?? []);
}

function latencyIn(text: string, rocketmqTopic: string): number | undefined {
  if (!text.includes(rocketmqTopic)) return undefined;
  const line = JSON.parse(text) as { message?: string; rocketmqTopic?: string; syncLatencyMs?: number };
  return JOINED.has(line.message) && line.rocketmqTopic === rocketmqTopic ? line.syncLatencyMs : undefined;
}
