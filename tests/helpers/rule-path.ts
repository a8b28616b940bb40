import { RocketmqCluster, type RocketmqClusterRecord } from '../../lib/domain/clusters/cluster.ts';
import { type Task, TaskDefinition, type TaskResources } from '../../lib/domain/tasks/task.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Logger } from '../../lib/ports/logger.ts';
import type { NewTaskEvent, TaskStore } from '../../lib/ports/task-store.ts';
import type { SourceRecord } from '../../lib/replication/rule-path/source-record.ts';

export const TASK_ID = '01JD4YQ3V8F0G2H4J6K8M0N2P4';
export const QUEUE_ARN = `arn:aws:sqs:eu-west-1:123456789012:mqferry-dev-0a1b2c3d-${TASK_ID}`;
export const NOW_MS = Date.UTC(2026, 10, 23, 12);

/** A clock whose sleepers wake at once: time passes exactly as much as somebody wanted to wait. */
export function createSteppingClock(startMs = NOW_MS): Clock & { step(ms: number): void } {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    step(ms) {
      nowMs += ms;
    },
    async sleep(ms) {
      nowMs += ms;
    },
  };
}

export interface Line {
  level: keyof Logger;
  message: string;
  fields: Record<string, unknown>;
}

export function createRecordingLogger(): Logger & { lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: keyof Logger) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      lines.push({ level, message, fields });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A running task of the rule path; `changes` replace whole members of the definition. */
export function ruleTask(
  changes: Partial<Record<keyof TaskDefinition, unknown>> = {},
  facts: Partial<Omit<Task, 'definition'>> & { resources?: TaskResources } = {},
): Task {
  const at = new Date(NOW_MS).toISOString();
  return {
    taskId: TASK_ID,
    definition: TaskDefinition.parse({
      taskName: 'charger-wills',
      source: { clusterId: 'devices', topicFilters: ['stations/+/status'] },
      target: { clusterId: 'business', topic: 'charger_status' },
      ...changes,
    }),
    direction: 'mqtt-to-rocketmq',
    sourceRegion: 'eu-west-1',
    desired: 'running',
    status: 'running',
    version: 3,
    createdAt: at,
    updatedAt: at,
    resources: { rules: {}, rulesVersion: 3, rulesSettledAtMs: NOW_MS - 3_600_000 },
    ...facts,
  };
}

export function rocketmqCluster(changes: Partial<RocketmqClusterRecord> = {}): RocketmqClusterRecord {
  const at = new Date(NOW_MS).toISOString();
  const input = RocketmqCluster.parse({
    kind: 'rocketmq',
    name: 'Business',
    region: 'eu-west-1',
    endpoint: '127.0.0.1:8081',
  });
  return { ...input, clusterId: 'business', version: 1, createdAt: at, updatedAt: at, ...changes };
}

export interface EnvelopeFields {
  task?: string;
  r?: number;
  f?: number;
  t?: string;
  ts?: number;
  payload?: string | Buffer;
  up?: Array<Record<string, string>>;
  [field: string]: unknown;
}

/** What a topic rule writes for one message. */
export function envelopeText({ payload = 'offline', ...fields }: EnvelopeFields = {}): string {
  return JSON.stringify({
    v: 1,
    task: TASK_ID,
    r: 3,
    f: 0,
    t: 'stations/7/status',
    c: 'charger-7',
    ts: NOW_MS - 50,
    p: Buffer.from(payload).toString('base64'),
    ...fields,
  });
}

let records = 0;

/** A record of the task's queue at its first receipt. */
export function sourceRecord(
  envelope: EnvelopeFields | string = {},
  changes: Partial<SourceRecord> = {},
): SourceRecord {
  records += 1;
  const recordId = changes.recordId ?? `record-${records}`;
  return {
    recordId,
    receiptHandle: `receipt-of-${recordId}`,
    queueArn: QUEUE_ARN,
    body: typeof envelope === 'string' ? envelope : envelopeText(envelope),
    receiveCount: 1,
    sentTimeMs: NOW_MS - 40,
    firstReceiveTimeMs: NOW_MS - 10,
    ...changes,
  };
}

type Health = Parameters<TaskStore['reportHealth']>[1];

/** One task, as the data plane sees the table; what is reported becomes its status, as in the table. */
export function createTaskTable(task: Task | undefined) {
  const reports: Health[] = [];
  const events: NewTaskEvent[] = [];
  const table = {
    task,
    reports,
    events,
    async get(taskId: string) {
      return table.task?.taskId === taskId ? structuredClone(table.task) : undefined;
    },
    async reportHealth(_taskId: string, health: Health) {
      reports.push(health);
      if (table.task === undefined) return false;
      const { reason: _, ...rest } = table.task;
      table.task = { ...rest, ...health };
      return true;
    },
    async appendEvent(_taskId: string, event: NewTaskEvent) {
      events.push(event);
    },
  };
  return table;
}
