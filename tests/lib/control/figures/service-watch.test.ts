import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryConvergeState } from '../../../../lib/adapters/memory/converge-state.ts';
import { createMemoryDeadLetterStore } from '../../../../lib/adapters/memory/dead-letter-store.ts';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import { createServiceWatch, type ServiceWatchPorts } from '../../../../lib/control/figures/service-watch.ts';
import type { EmfDocument } from '../../../../lib/domain/figures/emf.ts';
import { SERVICE_METRICS } from '../../../../lib/domain/figures/metrics.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import type { QueueBacklog } from '../../../../lib/ports/task-queues.ts';
import { createJumpingClock } from '../../../helpers/converge-world.ts';
import { emfFaults } from '../../../helpers/emf-schema.ts';
import { createRecordingLogger, ruleTask } from '../../../helpers/rule-path.ts';

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

let clock: ReturnType<typeof createJumpingClock>;
let queues: Map<string, QueueBacklog | Error>;
let counted: string[];
let documents: EmfDocument[];
let logger: ReturnType<typeof createRecordingLogger>;
let ports: ServiceWatchPorts;

beforeEach(() => {
  clock = createJumpingClock(START_MS);
  queues = new Map();
  counted = [];
  documents = [];
  logger = createRecordingLogger();
  ports = {
    ids: { service: 'mqferry', stage: 'dev' },
    queueCounter: {
      async backlog(url) {
        counted.push(url);
        const backlog = queues.get(url);
        if (backlog instanceof Error) throw backlog;
        return backlog;
      },
    },
    figures: createMemoryFigureStore(),
    deadLetterCounts: createMemoryDeadLetterStore(),
    memory: createMemoryConvergeState(),
    liveStatus: async (task) => task,
    metrics: { write: (_message, document) => documents.push(document) },
    clock,
    logger,
  };
});

function task(name: string, facts: Partial<Omit<Task, 'definition'>> = {}): Task {
  const taskId = name.padEnd(26, '0');
  const resources = { rules: {}, queue: { url: name, arn: name, specHash: '' }, ...facts.resources };
  return ruleTask({}, { ...facts, taskId, resources });
}

/** What one tick tells of these tasks. */
async function tick(tasks: readonly Task[], unconverged: readonly Task[] = []): Promise<EmfDocument> {
  documents.length = 0;
  counted.length = 0;
  const watch = createServiceWatch(ports)();
  for (const one of tasks) watch.look(one, unconverged.includes(one));
  await watch.tell(clock.now() + MINUTE_MS);
  const [document, ...more] = documents;
  if (document === undefined) throw new Error('no document');
  expect(more).toEqual([]);
  expect(emfFaults(document)).toEqual([]);
  return document;
}

describe('createServiceWatch', () => {
  it('tells how many tasks run, wait and do not, and names those that do not as properties', async () => {
    const [running, paused, degraded, failed] = [
      task('RUNNING'),
      task('PAUSED', { status: 'paused', desired: 'paused' }),
      task('DEGRADED', { status: 'degraded' }),
      task('FAILED', { status: 'failed', resources: { rules: {}, bufferExpiringAtMs: 1 } }),
    ];
    const document = await tick([running, paused, degraded, failed], [failed]);
    expect(document).toMatchObject({
      service: 'mqferry',
      stage: 'dev',
      tasks: 4,
      tasksRunning: 1,
      tasksPaused: 1,
      tasksDegraded: 1,
      tasksFailed: 1,
      unconverged: 1,
      buffersExpiring: 1,
      worst: {
        failed: [failed.taskId],
        degraded: [degraded.taskId],
        unconverged: [failed.taskId],
        buffersExpiring: [failed.taskId],
      },
    });
    expect(document._aws.CloudWatchMetrics[0]?.Dimensions).toEqual([['service', 'stage']]);
    // At a full five minutes everything is told.
    const names = document._aws.CloudWatchMetrics[0]?.Metrics.map(({ Name }) => Name) ?? [];
    expect(names.toSorted()).toEqual([...Object.keys(SERVICE_METRICS), 'consumed'].sort());
    expect(document.consumed).toBe(0);
    expect(await tick([paused])).not.toHaveProperty('consumed');
  });

  it('takes the status of the moment: a task whose shift is gone counts as degraded', async () => {
    ports.liveStatus = async (one) => ({ ...one, status: 'degraded' });
    expect(await tick([task('GONE')])).toMatchObject({ tasksRunning: 0, tasksDegraded: 1 });
  });

  it('counts what waits for running tasks apart from what pauses keep, and since when it cannot have moved', async () => {
    const at = new Date(START_MS - 90_000).toISOString();
    const stuck = task('STUCK', {
      status: 'degraded',
      reason: { code: 'TARGET_UNAVAILABLE', message: 'away', at, about: 'target' },
    });
    const paused = task('PAUSED', { status: 'paused', desired: 'paused' });
    queues.set('STUCK', { waiting: 40, inFlight: 2 });
    queues.set('PAUSED', { waiting: 7, inFlight: 0 });
    await ports.memory.saveBacklogs({ [paused.taskId]: 1 });
    expect(await tick([stuck, paused])).toMatchObject({
      backlogMessages: 42,
      bufferedMessages: 7,
      oldestAgeSeconds: 90,
      worst: { backlog: [{ taskId: stuck.taskId, count: 42 }] },
    });
  });

  it('tells what waits in RocketMQ as shifts have seen it, and nothing of what they saw long ago', async () => {
    const figures = createMemoryFigureStore();
    ports.figures = figures;
    const pull = { ...task('PULL'), direction: 'rocketmq-to-mqtt' as const, resources: { rules: {} } };
    const sample = { atMs: START_MS, backlogMessages: 12, oldestStoredAtMs: START_MS - 70_000 };
    await figures.putSample(pull.taskId, START_MS / MINUTE_MS, sample);
    expect(await tick([pull])).toMatchObject({
      backlogMessages: 12,
      oldestAgeSeconds: 70,
      worst: { backlog: [{ taskId: pull.taskId, count: 12 }] },
    });
    clock.advance(3 * MINUTE_MS + 1);
    expect(await tick([pull])).toMatchObject({ backlogMessages: 0, oldestAgeSeconds: 0 });
    ports.figures = { lastSample: () => Promise.reject(new Error('throttled')) };
    expect(await tick([pull])).toMatchObject({ backlogMessages: 0 });
    expect(logger.lines).toMatchObject([{ level: 'warn', message: 'a sample could not be read' }]);
  });

  it('counts busy queues at each tick, and each quiet one once in 15 minutes', async () => {
    const tasks = Array.from({ length: 60 }, (_, index) =>
      task(`QUIET${index}`.padEnd(23, 'X') + (100 + index)),
    );
    const busy = task('BUSY');
    queues.set('BUSY', { waiting: 5, inFlight: 0 });
    await ports.memory.saveBacklogs({ [busy.taskId]: 9 });
    const looks = new Map<string, number>();
    for (let minute = 0; minute < 15; minute += 1) {
      expect(await tick([busy, ...tasks])).toMatchObject({ backlogMessages: 5 });
      for (const url of counted) looks.set(url, (looks.get(url) ?? 0) + 1);
      expect(counted.length).toBeLessThan(30);
      clock.advance(MINUTE_MS);
    }
    expect(looks.get('BUSY')).toBe(15);
    expect([...looks.values()].filter((count) => count === 1)).toHaveLength(60);
    queues.delete('BUSY');
    expect(await tick([busy])).toMatchObject({ backlogMessages: 0 });
    expect((await ports.memory.read()).backlogs).toEqual({});
  });

  it('lets the last count stand where SQS does not answer', async () => {
    const busy = task('BUSY');
    await ports.memory.saveBacklogs({ [busy.taskId]: 9 });
    queues.set('BUSY', new Error('throttled'));
    expect(await tick([busy])).toMatchObject({ backlogMessages: 9 });
    expect(logger.lines).toMatchObject([{ level: 'warn', message: 'a queue could not be counted' }]);
  });

  it('counts dead letters each fifth minute, those without a task too', async () => {
    const asked: unknown[] = [];
    ports.deadLetterCounts = {
      async summary(taskId, options) {
        asked.push([taskId, options]);
        if (taskId === 'UNKNOWN') return { byCode: {}, isPartial: false };
        return { byCode: { A: 2, B: 1 }, oldestSeenAtMs: START_MS - 5_000, isPartial: false };
      },
    };
    const one = task('ONE');
    expect(await tick([one])).toMatchObject({
      deadLetterDepth: 3,
      deadLetterOldestAgeSeconds: 5,
      worst: { deadLetters: [{ taskId: one.taskId, count: 3 }] },
    });
    expect(asked).toEqual([
      [one.taskId, { maxQueries: 1 }],
      ['UNKNOWN', { maxQueries: 1 }],
    ]);
    clock.advance(MINUTE_MS);
    expect(await tick([one])).not.toHaveProperty('deadLetterDepth');
  });

  it('tells all else when the dead letters or the state of one task cannot be read, and no depth that lacks some', async () => {
    const [one, other] = [task('ONE'), task('OTHER')];
    const depth = { byCode: { A: 2 }, oldestSeenAtMs: START_MS - 5_000, isPartial: false };
    ports.deadLetterCounts = {
      summary: async (taskId) => (taskId === one.taskId ? Promise.reject(new Error('throttled')) : depth),
    };
    ports.liveStatus = async (seen) =>
      seen.taskId === other.taskId ? Promise.reject(new Error('throttled')) : seen;
    const told = await tick([one, other]);
    expect(told).toMatchObject({ tasksRunning: 2 });
    expect(told).not.toHaveProperty('deadLetterDepth');
    expect(logger.lines.map(({ message }) => message).toSorted()).toEqual([
      'dead letters could not be counted',
      'the status of the moment could not be told',
    ]);
  });

  it('lets the last count of dead letters stand where it cannot be read', async () => {
    const one = task('ONE');
    const counted = { byCode: { A: 2 }, oldestSeenAtMs: START_MS - 5_000, isPartial: false };
    ports.deadLetterCounts = { summary: async () => counted };
    const begin = createServiceWatch(ports);
    const tell = async () => {
      const watch = begin();
      watch.look(one, false);
      await watch.tell(clock.now() + MINUTE_MS);
      clock.advance(5 * MINUTE_MS);
    };
    await tell();
    ports.deadLetterCounts.summary = () => Promise.reject(new Error('throttled'));
    await tell();
    expect(documents).toMatchObject([{ deadLetterDepth: 4 }, { deadLetterDepth: 4 }]);
  });

  it('counts dead letters of its own minute, though it ends in the next', async () => {
    const watch = createServiceWatch(ports)();
    watch.look(task('ONE'), false);
    clock.advance(MINUTE_MS);
    await watch.tell(clock.now() + MINUTE_MS);
    expect(documents).toMatchObject([{ deadLetterDepth: 0 }]);
  });

  it('holds up no tick when the table does not answer', async () => {
    ports.memory = { ...ports.memory, read: () => Promise.reject(new Error('away')) };
    const watch = createServiceWatch(ports)();
    watch.look(task('ONE'), false);
    await watch.tell(clock.now() + MINUTE_MS);
    expect(documents).toEqual([]);
    expect(logger.lines).toMatchObject([
      { level: 'error', message: 'the metrics of the service were not told' },
    ]);
  });
});
