import { setTimeout as delay } from 'node:timers/promises';
import type { TaskStatus } from '../../lib/domain/tasks/task.ts';
import type { ShiftKind } from '../../lib/ports/shifts.ts';
import { openDirection } from './direction.ts';
import { startOverflowDrain } from './drain-overflow.ts';
import { createRows, type Row } from './rows.ts';
import type { Stage } from './stage.ts';
import { compare } from './streams.ts';
import { startWorker } from './workers.ts';

/** `freeze`: nothing answers, and nothing is closed. `kill`: SIGKILL, and a new start. */
export type Outage = 'freeze' | 'kill';

const BEFORE_MS = 4_000;
const AFTER_MS = 6_000;
const LOOK_MS = 50;
const DEGRADED_WITHIN_MS = 5_000;
const ALL_THERE_MS = 120_000;
const HEALED_MS = 60_000;

/** The target of a task is away for a while, and its source goes on. Lost: none; and the task says so, and heals by itself. */
export async function outageTrial(
  stage: Stage,
  options: { kind: ShiftKind; how: Outage; perSecond: number; outageMs: number; isOrdered?: boolean },
): Promise<Row[]> {
  const { kind, how, perSecond, outageMs, isOrdered = false } = options;
  const target = kind === 'pull' ? 'MQTT' : 'RocketMQ';
  const table = createRows(`${target} ${how}, ${kind}${isOrdered ? ', ordered' : ''}`);
  const direction = await openDirection(stage, { kind, perSecond, isOrdered });
  const { taskId, source, arrivals } = direction;
  const worker = await startWorker(stage.environment(), { kind, tickMs: 200 });
  const drain = kind === 'session' ? startOverflowDrain(stage, taskId) : undefined;
  const statuses: { atMs: number; status: TaskStatus; code?: string }[] = [];
  let isOver = false;

  async function watchStatus(): Promise<void> {
    while (!isOver) {
      const task = await stage.tasks.get(taskId);
      if (task !== undefined && task.status !== statuses.at(-1)?.status) {
        const { status, reason } = task;
        statuses.push({ atMs: Date.now(), status, ...(reason === undefined ? {} : { code: reason.code }) });
      }
      await delay(LOOK_MS);
    }
  }

  const watching = watchStatus();
  try {
    await stage.statusIs(taskId, 'running');
    await source.run(BEFORE_MS);
    let isBack = false;
    const stream = (async () => {
      while (!isBack) await source.run(500);
      await source.run(AFTER_MS);
    })();
    await delay(500);
    const awayAtMs = Date.now();
    const back = await takeAway(stage, kind, how);
    await delay(outageMs);
    await back();
    const backAtMs = Date.now();
    isBack = true;
    await stream;
    const healed = await stage.statusIs(taskId, 'running', HEALED_MS).catch(() => undefined);
    table.expect('in the end', 'running', healed?.status ?? 'not', healed !== undefined);
    await arrivals.all(source.sent.length, ALL_THERE_MS);
    table.tell('all had arrived after', `${arrivals.lastAtMs() - backAtMs} ms`);
    compare(table, direction.expected(), arrivals, isOrdered);
    const degraded = statuses.find(({ status, atMs }) => status === 'degraded' && atMs > awayAtMs);
    table.tell('reason', degraded?.code ?? 'none');
    table.atMost('degraded after', DEGRADED_WITHIN_MS, (degraded?.atMs ?? Number.NaN) - awayAtMs, 'ms');
    const running = statuses.find(({ status, atMs }) => status === 'running' && atMs > backAtMs);
    table.tell('running again after it is back', `${(running?.atMs ?? Number.NaN) - backAtMs} ms`);
    if (drain !== undefined) table.tell('went through the queue', drain.forwarded);
    const deadLetters = await countDeadLetters(stage, taskId);
    table.expect('dead letters', '0', deadLetters, deadLetters === 0);
  } finally {
    isOver = true;
    await Promise.all([watching, drain?.close()]);
    await worker.kill();
    await direction.close();
  }
  return table.rows;
}

/** Answers how it comes back; resolves then when it is ready. */
async function takeAway(stage: Stage, kind: ShiftKind, how: Outage): Promise<() => Promise<void>> {
  const { rocketmq } = stage.rocketmq;
  const { pid } = kind === 'pull' ? stage.mqtt.process : rocketmq.broker;
  if (how === 'freeze') {
    process.kill(pid, 'SIGSTOP');
    return async () => {
      process.kill(pid, 'SIGCONT');
    };
  }
  if (kind === 'pull') {
    await stage.mqtt.process.kill();
    return () => stage.restartMqtt();
  }
  await rocketmq.kill();
  return () => rocketmq.restart();
}

async function countDeadLetters(stage: Stage, taskId: string): Promise<number> {
  const { items } = await stage.deadLetters.list(taskId, { limit: 100 });
  return items.length + (await stage.queues.countVisible(stage.handOverQueue.url));
}
