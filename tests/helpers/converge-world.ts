import { createIotTopicRules } from '../../lib/adapters/aws-iot/topic-rules.ts';
import { createLambdaEventSourceMappings } from '../../lib/adapters/lambda/event-source-mappings.ts';
import { createMemoryClusterStore } from '../../lib/adapters/memory/cluster-store.ts';
import { createMemoryConvergeState } from '../../lib/adapters/memory/converge-state.ts';
import { createMemoryLaneLeases } from '../../lib/adapters/memory/lane-leases.ts';
import { createMemoryOverflowGroups } from '../../lib/adapters/memory/overflow-groups.ts';
import { createMemoryRateLimiter } from '../../lib/adapters/memory/rate-limiter.ts';
import { createMemoryShiftRoster, createMemoryShiftSlots } from '../../lib/adapters/memory/shifts.ts';
import { createMemoryStackStore } from '../../lib/adapters/memory/stack-store.ts';
import { createMemoryState } from '../../lib/adapters/memory/state.ts';
import { createStrictCloud } from '../../lib/adapters/memory/strict-cloud.ts';
import { stateOf } from '../../lib/adapters/memory/strict-cloud-mappings.ts';
import { createMemoryTaskStore } from '../../lib/adapters/memory/task-store.ts';
import { createSqsTaskQueues } from '../../lib/adapters/sqs/task-queues.ts';
import { createPacer } from '../../lib/control/converge/converge-pacer.ts';
import type { Cloud, Shifts, StepContext } from '../../lib/control/converge/converge-steps.ts';
import { type ConvergeResult, createConvergeTask } from '../../lib/control/converge/converge-task.ts';
import { createResourceNames } from '../../lib/domain/tasks/resource-names.ts';
import type { SpecSettings } from '../../lib/domain/tasks/resource-specs.ts';
import type { Task } from '../../lib/domain/tasks/task.ts';
import { TaskDefinition } from '../../lib/domain/tasks/task.ts';
import { directionOf } from '../../lib/domain/tasks/task-path.ts';
import { ruleSql } from '../../lib/mapping/rule-envelope.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Logger } from '../../lib/ports/logger.ts';
import type { ShiftStarter } from '../../lib/ports/shifts.ts';
import type { TargetAnswer, TargetProbe } from '../../lib/ports/target-probe.ts';
import { createFakeShift } from './fake-shift.ts';

export const STACK_ARN =
  'arn:aws:cloudformation:eu-west-1:123456789012:stack/mqferry-dev/0a1b2c3d-1111-2222-3333-444455556666';
export const REGION = 'eu-west-1';
export const FUNCTION_NAME = 'mqferry-dev-mqtt-to-rocketmq';
export const DEAD_LETTER_ARN = `arn:aws:sqs:${REGION}:123456789012:mqferry-dev-dead-letters`;
export const DEAD_LETTER_FIFO_ARN = `${DEAD_LETTER_ARN}.fifo`;
export const DEAD_LETTER_URL = `https://sqs.${REGION}.amazonaws.com/123456789012/mqferry-dev-dead-letters`;

/** The process died: nothing of it runs any more, not even what cleans up. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/** A clock on which sleeping takes no time but moves it. */
export function createJumpingClock(startMs = Date.UTC(2026, 0, 1)) {
  let nowMs = startMs;
  let meanwhile: () => Promise<void> = async () => undefined;
  return {
    now: () => nowMs,
    async sleep(ms: number) {
      nowMs += ms;
      await meanwhile();
    },
    /** Goes on while others sleep. */
    setMeanwhile(work: () => Promise<void>) {
      meanwhile = work;
    },
    advance(ms: number) {
      nowMs += ms;
    },
  };
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function specSettings(settings: Partial<SpecSettings> = {}): SpecSettings {
  return {
    names: createResourceNames({ service: 'mqferry', stage: 'dev', stackArn: STACK_ARN }),
    batchFunctionName: FUNCTION_NAME,
    deadLetterQueueArn: DEAD_LETTER_ARN,
    deadLetterQueueUrl: DEAD_LETTER_URL,
    deadLetterFifoQueueArn: DEAD_LETTER_FIFO_ARN,
    ruleRoleArn: 'arn:aws:iam::123456789012:role/mqferry-dev-rules',
    ruleSql,
    ...settings,
  };
}

export function definition(
  topicFilters: string[],
  options: Partial<TaskDefinition['options']> = {},
  taskName = 'wills',
): TaskDefinition {
  return TaskDefinition.parse({
    taskName,
    source: { clusterId: 'devices', topicFilters },
    target: { clusterId: 'business', topic: 'charger_status' },
    options,
  });
}

/** Of a task by the session path. */
export function sessionDefinition(
  options: Partial<TaskDefinition['options']> = {},
  clusterId = 'factory',
): TaskDefinition {
  return TaskDefinition.parse({
    taskName: 'session',
    source: { clusterId, topicFilters: ['a/+'] },
    target: { clusterId: 'business', topic: 'charger_status' },
    options: { via: 'session', ...options },
  });
}

/** Of a task by the pull path. */
export function pullDefinition(options: Partial<TaskDefinition['options']> = {}): TaskDefinition {
  return TaskDefinition.parse({
    taskName: 'pull',
    source: { clusterId: 'business', topic: 'commands' },
    target: { clusterId: 'devices', topic: 'stations/${key}/commands' },
    options,
  });
}

/**
 * Converge, its adapters and stores over the strict cloud, on one clock that jumps. Every call of the cloud or the table
 * takes time, and may be where the process dies.
 */
export async function createConvergeWorld({
  random = () => 0.5,
  roleReadyAtMs = 0,
  queueDelayMs = 0,
  logger = silentLogger,
}: {
  random?: () => number;
  logger?: Logger;
  roleReadyAtMs?: number;
  queueDelayMs?: number;
} = {}) {
  const clock = createJumpingClock();
  const state = createMemoryState();
  let isDead = false;
  let onCall: (call: string) => void = () => undefined;

  /** Before and after each call: time passes, death may come. */
  const touch = (call: string) => {
    if (isDead) throw new Killed(call);
    clock.advance(20);
    try {
      onCall(call);
    } catch (error) {
      isDead = error instanceof Killed;
      throw error;
    }
  };
  const mortal = <T extends object>(target: T): T => {
    const wrapped = Object.entries(target).map(([name, method]) => [
      name,
      async (...args: unknown[]) => {
        touch(`before ${name}`);
        const answer = await method(...args);
        touch(`after ${name}`);
        return answer;
      },
    ]);
    return Object.fromEntries(wrapped) as T;
  };

  const strict = createStrictCloud({
    clock,
    random,
    region: REGION,
    functionName: FUNCTION_NAME,
    roleReadyAtMs,
    queueDelayMs,
    hook: (when, command) => touch(`${when} ${command}`),
  });
  const pacer = createPacer({ limiter: createMemoryRateLimiter(clock), clock, random });
  const cloud: Cloud = {
    queues: createSqsTaskQueues({ sqs: strict.sqs }),
    mappings: createLambdaEventSourceMappings({ lambda: strict.lambda, pace: pacer('lambda', REGION) }),
    rules: {
      inRegion: (region) =>
        createIotTopicRules({
          iot: strict.iot(region),
          pace: pacer('iot', region),
          isHome: region === REGION,
        }),
    },
  };
  const tasks = createMemoryTaskStore(state, clock);
  const stack = createMemoryStackStore(state);
  const memory = createMemoryConvergeState();
  const clusters = createMemoryClusterStore(state);
  const at = () => new Date(clock.now()).toISOString();
  await clusters.put('devices', { kind: 'aws-iot', name: 'devices', region: REGION }, { at: at() });
  await clusters.put(
    'business',
    { kind: 'rocketmq', name: 'b', region: REGION, endpoint: 'b:8081', tls: false, multiMessage: 'auto' },
    { at: at() },
  );

  const roster = createMemoryShiftRoster();
  const slots = createMemoryShiftSlots(clock);
  const lanes = createMemoryLaneLeases(clock);
  const shift = createFakeShift({ roster, slots, lanes, tasks, isRemoving: () => state.removing });
  clock.setMeanwhile(shift.work);
  const starter: ShiftStarter = {
    async start() {
      shift.start();
    },
  };
  const shifts: Shifts = { roster: mortal(roster), slots, starter: mortal(starter), lanes: mortal(lanes) };

  for (const clusterId of ['factory', 'other-factory']) {
    const url = `mqtts://${clusterId}.example:8883`;
    await clusters.put(clusterId, { kind: 'mqtt', name: clusterId, region: REGION, url }, { at: at() });
  }

  const overflowGroups = createMemoryOverflowGroups();
  /** What the target says when it is asked, and how often it was. */
  const target: { says: TargetAnswer; asked: number } = { says: 'answers', asked: 0 };
  const targetProbe: TargetProbe = {
    async ask() {
      target.asked += 1;
      return target.says;
    },
  };
  const context: StepContext = {
    cloud,
    shifts,
    overflowGroups: mortal(overflowGroups),
    targetProbe: mortal(targetProbe),
    settings: specSettings(),
    memory: mortal(memory),
    clock,
    settlingMs: 5_000,
  };
  let owners = 0;

  const convergeWith = (settings: SpecSettings) =>
    createConvergeTask({
      ...context,
      // The world's queues count at once.
      countLagMs: 0,
      ruleConcurrency: 100,
      settings,
      tasks: mortal(tasks),
      stack: mortal(stack),
      clock: clock as Clock,
      logger,
    });

  /** One invocation of the function: a fresh process. */
  async function converge(
    taskId: string,
    { audit = false, settings = context.settings, waitBudgetMs = 20_000 } = {},
  ): Promise<ConvergeResult> {
    isDead = false;
    owners += 1;
    const limits = { owner: `run-${owners}`, deadlineMs: clock.now() + 60_000, waitBudgetMs, audit };
    return convergeWith(settings)(taskId, limits);
  }

  return {
    clock,
    state,
    strict,
    cloud,
    tasks,
    stack,
    memory,
    clusters,
    shift,
    overflowGroups,
    target,
    shifts: { roster, slots, starter, lanes },
    context,
    converge,
    at,
    /** Called at every call; may throw. */
    setOnCall(hook: (call: string) => void) {
      onCall = hook;
    },

    /** As the control queue does: again and again, until it is done. Answers the number of invocations. */
    async settle(
      taskId: string,
      { maxRounds = 200, ...options }: Parameters<typeof converge>[1] & { maxRounds?: number } = {},
    ) {
      for (let round = 1; round <= maxRounds; round += 1) {
        try {
          const result = await converge(taskId, options);
          await shift.work();
          if (result.outcome === 'done') return round;
          await clock.sleep(Math.min(10_000, Math.max(2_000, result.waitMs)));
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          // The record of the control queue comes back.
          await clock.sleep(70_000);
        }
      }
      const task = await tasks.get(taskId);
      throw new Error(`not converged after ${maxRounds} rounds: ${JSON.stringify(task)}`);
    },

    async create(
      taskId: string,
      task: TaskDefinition,
      desired: 'running' | 'paused' = 'running',
      sourceRegion = REGION,
    ) {
      await tasks.create({
        taskId,
        definition: task,
        direction: directionOf(task),
        sourceRegion,
        desired,
        at: at(),
        concurrencyLimit: 1_000,
      });
    },

    setDesired: (taskId: string, desired: 'running' | 'paused' | 'deleted', discardBacklog = false) =>
      tasks.setDesired({ taskId, desired, concurrencyLimit: 1_000, at: at(), discardBacklog }),

    /** Tasks from AWS IoT Core there. Answers the source of their definitions. */
    async iotIn(region: string) {
      const clusterId = `devices-${region}`;
      await clusters.put(clusterId, { kind: 'aws-iot', name: clusterId, region }, { at: at() });
      return { clusterId, topicFilters: ['a/+'] };
    },

    async edit(taskId: string, task: TaskDefinition, expectedVersion: number, sourceRegion = REGION) {
      await tasks.saveDefinition({
        taskId,
        expectedVersion,
        definition: task,
        direction: directionOf(task),
        sourceRegion,
        at: at(),
      });
    },

    async events(taskId: string) {
      const { items } = await tasks.listEvents(taskId, { limit: 100 });
      return items.map(({ code }) => code).reverse();
    },
  };
}

export type ConvergeWorld = Awaited<ReturnType<typeof createConvergeWorld>>;

/** A task that must be there. */
export async function presentTask(world: ConvergeWorld, taskId: string): Promise<Task> {
  const task = await world.tasks.get(taskId);
  if (task === undefined) throw new Error('the task is gone');
  return task;
}

/** Of the mappings of the task's queues. */
export function mappingStates(world: ConvergeWorld, taskId: string): string[] {
  const own = world.strict.mappings().filter(({ queueArn }) => queueArn.endsWith(taskId));
  return own.map(stateOf);
}
