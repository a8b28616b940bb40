import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import { createGetMetrics } from '../../../../lib/control/figures/get-metrics.ts';
import { createReadBalance } from '../../../../lib/control/figures/read-balance.ts';
import { createScrapeMetrics } from '../../../../lib/control/figures/scrape-metrics.ts';
import { addSending, type Figures, minuteOf, newFigures } from '../../../../lib/domain/figures/figures.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import type { FigureStore } from '../../../../lib/ports/figure-store.ts';
import type { QueueBacklog } from '../../../../lib/ports/task-queues.ts';
import { createRecordingLogger, NOW_MS, ruleTask, TASK_ID } from '../../../helpers/rule-path.ts';
import { sessionTask } from '../../../helpers/session-lane.ts';

const NOW = minuteOf(NOW_MS);
const QUEUE = {
  url: 'https://sqs.eu-west-1.amazonaws.com/123456789012/mqferry-dev-0a1b2c3d-queue',
  arn: 'arn:aws:sqs:eu-west-1:123456789012:mqferry-dev-0a1b2c3d-queue',
  specHash: 'h',
};
const clock = { now: () => NOW_MS };

function pullTask(): Task {
  return ruleTask(
    {
      source: { clusterId: 'business', topic: 'charger_commands' },
      target: { clusterId: 'devices', topic: 'stations/x', qos: 1 },
    },
    { direction: 'rocketmq-to-mqtt' },
  );
}

function counted(consumed: number, replicated = consumed): Figures {
  const figures = newFigures();
  figures.counts.consumed = consumed;
  figures.counts.replicated = replicated;
  return figures;
}

let store: FigureStore;
let logger: ReturnType<typeof createRecordingLogger>;
beforeEach(() => {
  store = createMemoryFigureStore();
  logger = createRecordingLogger();
});

async function add(minute: number, figures: Figures): Promise<void> {
  await store.add({ taskId: TASK_ID, minute, writer: `w${minute}`, sequence: 1, figures });
}

function read(
  task: Task,
  options: {
    backlog?: QueueBacklog | Error;
    sent?: ReadonlyMap<number, number> | Error;
    oldestAgeSeconds?: number;
  } = {},
) {
  const { backlog = { waiting: 0, inFlight: 0 }, sent, oldestAgeSeconds } = options;
  return createGetMetrics({
    getTask: async () => task,
    figures: store,
    readBalance: createReadBalance({
      figures: store,
      queueCounter: {
        backlog: async () => (backlog instanceof Error ? Promise.reject(backlog) : backlog),
      },
      ...(sent === undefined
        ? {}
        : {
            queueMetrics: {
              read: async () =>
                sent instanceof Error
                  ? Promise.reject(sent)
                  : { sent, ...(oldestAgeSeconds === undefined ? {} : { oldestAgeSeconds }) },
            },
          }),
      clock,
      logger,
    }),
    clock,
  });
}

describe('createGetMetrics', () => {
  it('has the latencies and the series of all that its totals have, whatever is written meanwhile', async () => {
    const figures = counted(3);
    addSending(figures.latencies, NOW_MS - 9, Number.NaN, NOW_MS - 8, NOW_MS - 7, NOW_MS);
    const { totals } = store;
    store.totals = async (taskId) => {
      // Long enough for everything that was asked for at the same time.
      await new Promise((resolve) => setImmediate(resolve));
      await add(NOW, figures);
      return totals(taskId);
    };
    const metrics = await read(ruleTask())({ taskId: TASK_ID });
    expect(metrics).toMatchObject({ totals: { replicated: 3 }, syncLatencyMs: { messages: 1 } });
    expect(metrics.series).toMatchObject([{ consumed: 3 }]);
  });

  const task = ruleTask({}, { resources: { rules: {}, queue: QUEUE } });

  it('tells totals, latencies and the series of the last hour', async () => {
    const old = counted(5, 3);
    old.failed = { TOPIC_ILLEGAL: 1 };
    await add(NOW - 120, old);
    const figures = counted(10);
    for (let message = 0; message < 10; message += 1) {
      addSending(figures.latencies, NOW_MS, NOW_MS + 10, NOW_MS + 20, NOW_MS + 21, NOW_MS + 100);
    }
    await add(NOW - 1, figures);
    const metrics = await read(task)({ taskId: TASK_ID });
    expect(metrics.totals).toMatchObject({
      consumed: 15,
      replicated: 13,
      failed: 1,
      inFlight: 1,
      failedByCode: { TOPIC_ILLEGAL: 1 },
    });
    expect(metrics.syncLatencyMs.messages).toBe(10);
    expect(metrics.syncLatencyMs.p50).toBeGreaterThanOrEqual(100);
    expect(metrics.syncLatencyMs.p50).toBeLessThanOrEqual(116);
    expect(metrics.latencyPartsMs.target.max).toBeGreaterThanOrEqual(79);
    expect(metrics).toMatchObject({
      periodSeconds: 60,
      from: new Date(NOW_MS - 3_600_000).toISOString(),
      to: new Date(NOW_MS).toISOString(),
      backlog: { messages: 0, oldestAgeSeconds: 0, approximate: true, source: 'queue' },
      balance: { balanced: true, difference: 0, witness: 'none', countedTwice: 0 },
    });
    expect(metrics.series).toMatchObject([{ consumed: 10, replicated: 10, failed: 0 }]);
    expect(metrics.series[0]).not.toHaveProperty('inFlight');
  });

  it('tells longer ranges by the hour, and what a crash made count twice', async () => {
    await add(NOW - 120, counted(2, 3));
    const metrics = await read(task)({ taskId: TASK_ID, fromMs: NOW_MS - 24 * 3_600_000 });
    expect(metrics).toMatchObject({
      periodSeconds: 3_600,
      totals: { consumed: 3, inFlight: 0 },
      balance: { countedTwice: 1 },
      syncLatencyMs: { p50: 0, p95: 0, p99: 0, max: 0, messages: 0 },
    });
    expect(metrics.series).toHaveLength(1);
  });

  it.each([
    [{ fromMs: NOW_MS, toMs: NOW_MS - 1 }, 'before'],
    [{ fromMs: NOW_MS - 2 * 86_400_000, periodSeconds: 60 as const }, '2880 periods'],
    [{ fromMs: NOW_MS - 40 * 86_400_000 }, '960 periods'],
  ])('refuses the range %j', async (range, text) => {
    await expect(read(task)({ taskId: TASK_ID, ...range })).rejects.toMatchObject({
      status: 400,
      code: 'RANGE_INVALID',
      message: expect.stringContaining(text),
    });
  });
});

describe('the balance of the rule path', () => {
  const task = ruleTask({}, { resources: { rules: {}, queue: QUEUE } });

  it.each([
    ['equal', 100, 0, true],
    ['a lost update', 60, 0, false],
    ['messages that wait', 60, 40, true],
  ])('is told against what was sent to the queue: %s', async (_, received, waiting, balanced) => {
    const figures = counted(received);
    // Met a minute after they were sent.
    figures.sourceMinutes = { [NOW - 10]: received };
    await add(NOW - 9, figures);
    const sent = new Map([[NOW - 10, 100]]);
    const metrics = await read(task, { backlog: { waiting, inFlight: 0 }, sent, oldestAgeSeconds: 33 })({
      taskId: TASK_ID,
    });
    expect(metrics.balance).toMatchObject({ witness: 'queue', balanced, counted: received, witnessed: 100 });
    expect(metrics.backlog).toMatchObject({ messages: waiting, oldestAgeSeconds: waiting > 0 ? 33 : 0 });
  });

  it.each([
    ['CloudWatch', { sent: new Error('away') }],
    ['SQS', { backlog: new Error('away') }],
  ])('leaves the identity alone while %s does not answer', async (_, options) => {
    const metrics = await read(task, options)({ taskId: TASK_ID });
    expect(metrics.balance).toMatchObject({ witness: 'none', balanced: true });
    expect(metrics.backlog.source).toBe('none');
    expect(logger.lines).toMatchObject([{ level: 'warn' }]);
  });

  it('knows no backlog before there is a queue', async () => {
    const metrics = await read(ruleTask())({ taskId: TASK_ID });
    expect(metrics.backlog.source).toBe('none');
  });
});

describe('the balance of the session path', () => {
  it('is told against what the lanes have received, to the message', async () => {
    const figures = counted(100);
    figures.counts.overlap = 20;
    await add(NOW - 10, figures);
    const write = { taskId: TASK_ID, minute: NOW - 10, writer: 'x', sequence: 1, lane: 0 };
    await store.addWitness({ ...write, receipts: 120, opened: true });
    const get = read(sessionTask(), { backlog: { waiting: 3, inFlight: 1 } });
    expect(await get({ taskId: TASK_ID })).toMatchObject({
      balance: { witness: 'receipts', balanced: true, counted: 120 },
      backlog: { messages: 4, source: 'queue' },
    });
    // A lost update.
    await store.addWitness({ ...write, sequence: 2, receipts: 7 });
    expect((await get({ taskId: TASK_ID })).balance).toMatchObject({ balanced: false, difference: -7 });
  });
});

describe('the balance of the pull path', () => {
  it('is told against the positions of the group', async () => {
    const sampleAt = (minute: number, position: number) =>
      store.putSample(TASK_ID, minute, {
        atMs: minute * 60_000 + 100,
        backlogMessages: 12,
        oldestStoredAtMs: minute * 60_000 - 4_900,
        read: { position, queues: 8 },
      });
    for (let minute = NOW - 15; minute < NOW; minute += 1) {
      await sampleAt(minute, minute > NOW - 10 ? 90 : 0);
    }
    const figures = counted(80);
    figures.counts.skipped = 10;
    await add(NOW - 10, figures);
    const get = read(pullTask());
    expect(await get({ taskId: TASK_ID })).toMatchObject({
      balance: { witness: 'positions', balanced: true, counted: 90, witnessed: 90 },
      backlog: { messages: 12, oldestAgeSeconds: 5, source: 'consumer-group' },
    });
    // A double count.
    await store.add({ taskId: TASK_ID, minute: NOW - 10, writer: 'y', sequence: 1, figures: counted(9) });
    expect((await get({ taskId: TASK_ID })).balance).toMatchObject({ balanced: false, difference: 9 });
  });

  it('has no witness without an admin port, or behind a filter', async () => {
    const get = read(pullTask());
    expect(await get({ taskId: TASK_ID })).toMatchObject({
      balance: { witness: 'none', balanced: true },
      backlog: { source: 'none' },
    });
    await store.putSample(TASK_ID, NOW, { atMs: NOW_MS, backlogMessages: 2 });
    expect(await get({ taskId: TASK_ID })).toMatchObject({
      balance: { witness: 'none' },
      backlog: { messages: 2, source: 'consumer-group' },
    });
  });
});

describe('createScrapeMetrics', () => {
  it('writes the figures of all tasks in the format of Prometheus', async () => {
    const figures = counted(10, 8);
    figures.failed = { TOPIC_ILLEGAL: 2 };
    figures.latencies.sync = { 0: 3, 33: 4, 150: 1 };
    await add(NOW, figures);
    const tasks = [ruleTask(), ruleTask({ taskName: 'other' }, { taskId: 'A', status: 'paused' })];
    const scrape = createScrapeMetrics({
      tasks: {
        list: async (_, { cursor }) =>
          cursor === undefined ? { items: tasks.slice(0, 1), nextCursor: 'next' } : { items: tasks.slice(1) },
      },
      figures: store,
      // The shift of this one is gone, whatever is stored.
      liveStatus: async (task) => (task.taskId === TASK_ID ? { ...task, status: 'degraded' } : task),
    });
    const text = await scrape();
    const own = `task="${TASK_ID}",name="charger-wills",direction="mqtt-to-rocketmq"`;
    for (const line of [
      '# TYPE mqferry_consumed_messages_total counter',
      `mqferry_consumed_messages_total{${own}} 10`,
      `mqferry_taken_back_messages_total{${own}} 0`,
      'mqferry_consumed_messages_total{task="A",name="other",direction="mqtt-to-rocketmq"} 0',
      `mqferry_messages_total{${own},outcome="replicated"} 8`,
      `mqferry_failed_messages{${own},code="TOPIC_ILLEGAL"} 2`,
      `mqferry_task_status{${own},status="degraded"} 1`,
      `mqferry_task_status{${own},status="running"} 0`,
      `mqferry_sync_latency_seconds_bucket{${own},le="0.001"} 3`,
      `mqferry_sync_latency_seconds_bucket{${own},le="+Inf"} 8`,
      `mqferry_sync_latency_seconds_count{${own}} 8`,
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text.endsWith('\n')).toBe(true);
    // Each bucket holds those before it.
    const values = [...text.matchAll(/_bucket\{task="01J.*\} (\d+)$/gm)].map(([, value]) => Number(value));
    expect(values).toEqual(values.toSorted((one, other) => one - other));
    // Names are unique, each with one HELP and TYPE, as the format wants.
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(types).size).toBe(types.length);
  });
});
