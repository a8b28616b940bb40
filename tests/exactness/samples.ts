import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { rootConfig } from '../../local/deploy.ts';
import { type FaultStage, FUNCTIONS } from '../faults/stage.ts';
import type { ExactPath } from './paths.ts';

const JOINED: ReadonlySet<unknown> = new Set(['message stored', 'message published']);

/**
 * Synchronisation latency of each message that a task has carried, in ms, as its function has told it for this one message: lines for
 * debugging, which know nothing of histograms.
 */
export async function rawLatencies(
  { stack }: FaultStage,
  { path, rocketmqTopic }: Pick<ExactPath, 'path' | 'rocketmqTopic'>,
): Promise<number[]> {
  const client = new CloudWatchLogsClient(rootConfig(stack.aws));
  const latencies: number[] = [];
  try {
    const logGroupName = `/aws/lambda/${FUNCTIONS[path]}`;
    for await (const { events = [] } of paginateFilterLogEvents(
      { client },
      { logGroupName, limit: 10_000 },
    )) {
      for (const { message = '' } of events) {
        const latencyMs = latencyIn(message, rocketmqTopic);
        if (latencyMs !== undefined) latencies.push(latencyMs);
      }
    }
  } finally {
    client.destroy();
  }
  return latencies;
}

function latencyIn(text: string, rocketmqTopic: string): number | undefined {
  if (!text.includes(rocketmqTopic)) return undefined;
  const line = JSON.parse(text) as { message?: string; rocketmqTopic?: string; syncLatencyMs?: number };
  return JOINED.has(line.message) && line.rocketmqTopic === rocketmqTopic ? line.syncLatencyMs : undefined;
}
