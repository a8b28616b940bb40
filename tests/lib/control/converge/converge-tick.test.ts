import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLambdaAccountLimits } from '../../../../lib/adapters/lambda/account-limits.ts';
import { createMemoryControlQueue } from '../../../../lib/adapters/memory/control-queue.ts';
import { createMemoryFigureStore } from '../../../../lib/adapters/memory/figure-store.ts';
import type { ConvergeTask } from '../../../../lib/control/converge/converge-task.ts';
import { createConvergeTick } from '../../../../lib/control/converge/converge-tick.ts';
import { createStartShifts } from '../../../../lib/control/converge/start-shifts.ts';
import { createInventory } from '../../../../lib/control/converge/sweep-inventory.ts';
import { createSweepOrphans } from '../../../../lib/control/converge/sweep-orphans.ts';
import { createFoldFigures } from '../../../../lib/control/figures/fold-figures.ts';
import { minuteOf, newFigures } from '../../../../lib/domain/figures/figures.ts';
import type { FigureStore } from '../../../../lib/ports/figure-store.ts';
import type { Logger } from '../../../../lib/ports/logger.ts';
import {
  type ConvergeWorld,
  createConvergeWorld,
  definition,
  Killed,
  pullDefinition,
  REGION,
  sessionDefinition,
  silentLogger,
  specSettings,
} from '../../../helpers/converge-world.ts';
import { createRecordingLogger } from '../../../helpers/rule-path.ts';

const taskIds = [
  '01J9ZQ4Y8R7K2M5N6P0S1T3V40',
  '01J9ZQ4Y8R7K2M5N6P0S1T3V41',
  '01J9ZQ4Y8R7K2M5N6P0S1T3V42',
] as const;
const [FIRST, SECOND, THIRD] = taskIds;

let world: ConvergeWorld;
let looked: ([taskId: string, isUnconverged: boolean] | 'told')[];
let control: ReturnType<typeof createMemoryControlQueue>;
let figures: FigureStore;
let canaried: string[];
beforeEach(async () => {
  world = await createConvergeWorld();
  control = createMemoryControlQueue();
  figures = createMemoryFigureStore();
  looked = [];
  canaried = [];
  for (const taskId of taskIds)
    await world.create(taskId, definition(['a/+'], {}, `task-${taskId}`), 'paused');
});

interface TickOptions {
  audit?: boolean;
  budgetMs?: number;
  settings?: ReturnType<typeof specSettings>;
  convergeTask?: ConvergeTask;
  logger?: Logger;
}

function tick({
  audit = false,
  budgetMs = 600_000,
  settings = specSettings(),
  convergeTask = (taskId, limits) => world.converge(taskId, { ...limits, settings }),
  logger = silentLogger,
}: TickOptions = {}) {
  const inventory = createInventory({ cloud: world.cloud, settings });
  const run = createConvergeTick({
    tasks: world.tasks,
    stack: world.stack,
    memory: world.memory,
    control,
    accountLimits: createLambdaAccountLimits({ lambda: world.strict.lambda, pace: async () => undefined }),
    convergeTask,
    sweepOrphans: createSweepOrphans({
      tasks: world.tasks,
      inventory,
      roster: world.shifts.roster,
      clock: world.clock,
      logger: silentLogger,
    }),
    startShifts: createStartShifts({ ...world, logger: silentLogger }),
    beginServiceWatch: () => ({
      look: (task, isUnconverged) => void looked.push([task.taskId, isUnconverged]),
      tell: async () => void looked.push('told'),
    }),
    sendCanaries: async (due) => {
      canaried.push(...due.map(({ taskId }) => taskId));
    },
    foldFigures: createFoldFigures({ figures, clock: world.clock, logger: silentLogger }),
    settings,
    region: REGION,
    clock: world.clock,
    logger,
  });
  return run({ audit, owner: 'tick', deadlineMs: world.clock.now() + budgetMs });
}

describe('createConvergeTick', () => {
  it('folds the figures of each task once in a quarter of an hour, and tells the same totals', async () => {
    const counted = newFigures();
    counted.counts.consumed = 7;
    const minute = minuteOf(world.clock.now());
    for (const taskId of taskIds) {
      await figures.add({ taskId, minute, writer: 'a', sequence: 1, figures: counted });
    }
    await world.clock.advance(11 * 60_000);
    let folded = 0;
    for (let ticks = 0; ticks < 15; ticks += 1) {
      folded += (await tick()).minutesFolded;
      await world.clock.advance(60_000);
    }
    expect(folded).toBe(taskIds.length);
    for (const taskId of taskIds) expect((await figures.totals(taskId)).counts.consumed).toBe(7);
  });

  it('has canaries sent to tasks that run and want one', async () => {
    const withCanary = definition(['b/+'], { canary: {} }, 'with-canary');
    const extra = '01J9ZQ4Y8R7K2M5N6P0S1T3V44';
    await world.create(extra, withCanary, 'paused');
    for (const taskId of [...taskIds, extra]) await world.settle(taskId);
    await tick();
    expect(canaried).toEqual([]);
    for (const taskId of [FIRST, extra]) {
      await world.setDesired(taskId, 'running');
      await world.settle(taskId);
    }
    await tick();
    expect(canaried).toEqual([extra]);
  });

  it('goes on when figures cannot be folded', async () => {
    figures = { ...figures, fold: () => Promise.reject(new Error('the table does not answer')) };
    for (let ticks = 0; ticks < 15; ticks += 1) {
      expect(await tick()).toMatchObject({ tasks: 3, minutesFolded: 0 });
      await world.clock.advance(60_000);
    }
  });

  it('wakes the tasks that are not as wanted, and no others', async () => {
    await world.settle(FIRST);
    await world.settle(SECOND);
    await world.setDesired(SECOND, 'running');
    const report = await tick();
    expect([...control.woken].sort()).toEqual([SECOND, THIRD]);
    expect(control.watches).toBe(0);
    expect(report).toMatchObject({ tasks: 3, unconverged: 2, woken: 2, failed: 0, audited: 0 });
    expect(looked).toHaveLength(4);
    expect(looked).toEqual(expect.arrayContaining([[FIRST, false], [SECOND, true], [THIRD, true], 'told']));
  });

  it('wakes nobody when all is as wanted, and everybody when a new version makes rules another way', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    expect(await tick()).toMatchObject({ unconverged: 0, woken: 0 });
    expect(control.woken).toEqual([]);
    const settings = specSettings({ ruleSql: ({ topicFilter }) => `SELECT 2 AS v FROM '${topicFilter}'` });
    expect(await tick({ settings })).toMatchObject({ unconverged: 3, woken: 3 });
  });

  it('wakes a task whose repair was cut off after the record was brought to the truth', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    await world.setDesired(FIRST, 'running');
    await world.settle(FIRST);
    const [rule] = world.strict.rules().filter(({ enabled }) => enabled);
    if (rule !== undefined) rule.enabled = false;
    world.setOnCall((call) => {
      if (call === 'before EnableTopicRuleCommand') throw new Killed(call);
    });
    await expect(world.converge(FIRST, { audit: true })).rejects.toThrow(Killed);
    world.setOnCall(() => undefined);
    expect(await tick()).toMatchObject({ unconverged: 1 });
    expect(control.woken).toEqual([FIRST]);
  });

  it('wakes a task whose target is away for ten minutes, and one that holds, each minute', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    await world.setDesired(FIRST, 'running');
    await world.settle(FIRST);
    const at = world.at();
    const reason = { code: 'TARGET_UNREACHABLE', message: 'away', at, about: 'target' } as const;
    await world.tasks.reportHealth(FIRST, { status: 'degraded', reason });
    world.clock.advance(9 * 60_000);
    expect(await tick()).toMatchObject({ degraded: 1, woken: 0 });
    world.clock.advance(60_000);
    expect(await tick()).toMatchObject({ degraded: 1, unconverged: 0, woken: 1 });
    world.target.says = 'away';
    await world.settle(FIRST);
    expect((await world.tasks.get(FIRST))?.reason?.code).toBe('HOLDING');
    expect(await tick()).toMatchObject({ degraded: 1, unconverged: 0, woken: 1 });
    expect(control.woken).toEqual([FIRST, FIRST]);
  });

  it('takes turns where more tasks are to be woken than one tick wakes', async () => {
    const many = Array.from(
      { length: 150 },
      (_, index) => `01J9ZQ4Y8R7K2M5N6P0S1T5${String(index).padStart(3, '0')}`,
    );
    for (const taskId of many) await world.create(taskId, definition(['b'], {}, `task-${taskId}`), 'paused');
    expect(await tick()).toMatchObject({ unconverged: 153, woken: 100 });
    world.clock.advance(60_000);
    await tick();
    expect(new Set(control.woken).size).toBe(153);
  });

  it('records what the account leaves unreserved', async () => {
    await tick();
    expect(await world.stack.read()).toMatchObject({ unreservedConcurrency: 900 });
  });

  it('leaves a failed task to its user, but tries it again with an audit', async () => {
    await world.settle(FIRST, { settings: specSettings({ ruleSql: () => 'SELECT nonsense' }) });
    for (const taskId of [SECOND, THIRD]) await world.settle(taskId);
    expect(await tick()).toMatchObject({ failed: 1, unconverged: 0 });
    expect(control.woken).toEqual([]);
    await tick({ audit: true });
    await world.settle(FIRST);
    expect((await world.tasks.get(FIRST))?.status).toBe('paused');
  });

  it('finds and repairs by an audit what hands have changed', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    await world.setDesired(FIRST, 'running');
    await world.settle(FIRST);
    const { names } = specSettings();
    world.clock.advance(60_000);
    const [queue] = world.strict.queues().filter(({ name }) => name === names.queueName(SECOND));
    if (queue !== undefined) queue.attributes.VisibilityTimeout = '30';
    const [mapping] = world.strict.mappings().filter(({ queueArn }) => queueArn.endsWith(FIRST));
    if (mapping !== undefined) Object.assign(mapping, { enabled: false, BatchSize: 100 });
    const [rule] = world.strict.rules().filter(({ name }) => name === names.ruleName(FIRST, 0));
    if (rule !== undefined) Object.assign(rule.payload, { sql: "SELECT 1 FROM 'x'", errorAction: undefined });
    world.strict.removeRule(names.ruleName(THIRD, 0));
    world.clock.advance(60_000);

    expect(await tick({ audit: true })).toMatchObject({ audited: 3 });
    for (const taskId of control.woken) await world.settle(taskId);
    expect(queue?.attributes.VisibilityTimeout).toBe('180');
    expect(mapping).toMatchObject({ enabled: true, BatchSize: 10 });
    expect(rule?.payload).toMatchObject({
      sql: expect.stringContaining("FROM 'a/+'"),
      errorAction: { sqs: {} },
    });
    expect(world.strict.rules()).toHaveLength(3);
    const { items } = await world.tasks.listEvents(FIRST, { limit: 1 });
    expect(items).toMatchObject([
      {
        code: 'DRIFT_REPAIRED',
        details: { repaired: ['mapping: batchSize, state Disabled', 'rule 0: sql, errorQueueUrl'] },
      },
    ]);
    expect((await world.tasks.listEvents(THIRD, { limit: 1 })).items).toMatchObject([
      { code: 'DRIFT_REPAIRED', details: { repaired: ['rule 0: gone'] } },
    ]);
  });

  it('repairs what changes messages in silence: a filter, an older SQL, base64, the role of the error action', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    const { names } = specSettings();
    world.clock.advance(60_000);
    const Filters = [{ Pattern: '{"body":{"p":["x"]}}' }];
    const [mapping] = world.strict.mappings().filter(({ queueArn }) => queueArn.endsWith(FIRST));
    if (mapping !== undefined) mapping.FilterCriteria = { Filters };
    const payloadOf = (taskId: string) =>
      world.strict.rules().find(({ name }) => name === names.ruleName(taskId, 0))?.payload;
    const madeAs = structuredClone(payloadOf(FIRST));
    Object.assign(payloadOf(FIRST) ?? {}, { awsIotSqlVersion: '2015-10-08' });
    Object.assign(payloadOf(SECOND)?.actions?.[0]?.sqs ?? {}, { useBase64: true });
    Object.assign(payloadOf(THIRD)?.errorAction?.sqs ?? {}, {
      roleArn: 'arn:aws:iam::123456789012:role/other',
    });
    world.clock.advance(60_000);

    expect(await tick({ audit: true })).toMatchObject({ audited: 3 });
    for (const taskId of control.woken) await world.settle(taskId);
    expect(mapping?.FilterCriteria).toEqual({});
    expect(payloadOf(FIRST)).toEqual(madeAs);
    expect(payloadOf(SECOND)?.actions?.[0]?.sqs?.useBase64).toBe(false);
    expect(payloadOf(THIRD)?.errorAction?.sqs?.roleArn).toBe(payloadOf(THIRD)?.actions?.[0]?.sqs?.roleArn);
    const { items } = await world.tasks.listEvents(FIRST, { limit: 1 });
    expect(items).toMatchObject([
      { code: 'DRIFT_REPAIRED', details: { repaired: ['mapping: isFiltered', 'rule 0: form'] } },
    ]);
  });

  it('audits the tasks behind one that cannot be, and has that one looked at by itself', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    const logger = createRecordingLogger();
    const audited: string[] = [];
    const convergeTask: ConvergeTask = async (taskId, limits) => {
      audited.push(taskId);
      if (taskId === THIRD) throw new TypeError('what nobody thought of');
      return world.converge(taskId, limits);
    };
    expect(await tick({ audit: true, convergeTask, logger })).toMatchObject({ audited: 2 });
    // The newest come first.
    expect(audited).toEqual([THIRD, SECOND, FIRST]);
    expect(control.woken).toEqual([THIRD]);
    expect((await world.memory.read()).auditCursor).toBeUndefined();
    expect(logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { taskId: THIRD } },
    ]);
  });

  it('looks at the tasks behind one whose definition this version cannot make a rule of', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    await world.setDesired(THIRD, 'running');
    const logger = createRecordingLogger();
    const settings = specSettings({
      ruleSql: (spec) => {
        if (spec.taskId === FIRST) throw new TypeError('such a filter is refused now');
        return specSettings().ruleSql(spec);
      },
    });
    expect(await tick({ settings, logger })).toMatchObject({ tasks: 3, unconverged: 2, woken: 1 });
    expect(control.woken).toEqual([THIRD]);
    expect(looked).toEqual(expect.arrayContaining([[FIRST, true], [SECOND, false], [THIRD, true], 'told']));
    expect(logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { taskId: FIRST } },
    ]);
  });

  it('goes on with an audit that had no time left at the next tick', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    const more = Array.from(
      { length: 12 },
      (_, index) => `01J9ZQ4Y8R7K2M5N6P0S1T4V${String(index).padStart(2, '0')}`,
    );
    for (const taskId of more) {
      await world.create(taskId, definition(['b'], {}, `task-${taskId}`), 'paused');
      await world.settle(taskId);
    }
    let audited = (await tick({ audit: true, budgetMs: 20_000 })).audited;
    expect(audited).toBeLessThan(15);
    for (let ticks = 0; ticks < 10; ticks += 1) audited += (await tick({ budgetMs: 20_000 })).audited;
    expect(audited).toBeGreaterThanOrEqual(15);
    expect((await world.memory.read()).auditCursor).toBeUndefined();
    expect((await tick()).audited).toBe(0);
  });

  it('wakes deletions, and tasks that an edit has put on another path', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    await world.setDesired(FIRST, 'deleted');
    await world.edit(SECOND, definition(['a'], { via: 'session' }, `task-${SECOND}`), 1);
    expect(await tick()).toMatchObject({ unconverged: 2 });
    await world.settle(SECOND);
    expect(await tick()).toMatchObject({ unconverged: 1, failed: 0 });
  });

  it('wakes a task whose overflow has to be looked at, and does not count it as unconverged', async () => {
    for (const taskId of taskIds) await world.settle(taskId);
    const SESSION = '01J9ZQ4Y8R7K2M5N6P0S1T3V49';
    await world.create(SESSION, sessionDefinition());
    await world.settle(SESSION);
    expect(await tick()).toMatchObject({ woken: 0 });
    await world.tasks.reportOverflow(SESSION, true);
    expect(await tick()).toMatchObject({ unconverged: 0, woken: 1 });
    await world.settle(SESSION);
    await world.tasks.reportOverflow(SESSION, false);
    expect(await tick()).toMatchObject({ unconverged: 0, woken: 1 });
    expect(control.woken).toEqual([SESSION, SESSION]);
  });

  it('starts a shift where there is work and nobody who does it', async () => {
    const PULL = '01J9ZQ4Y8R7K2M5N6P0S1T3V49';
    await world.create(PULL, pullDefinition());
    await world.settle(PULL);
    expect(await tick()).toMatchObject({ shiftsStarted: 0 });
    expect(control.watches).toBe(1);
    world.shift.kill();
    await world.clock.sleep(60_000);
    expect(await tick()).toMatchObject({ shiftsStarted: 1 });
    await world.shift.work();
    expect(world.shift.done).toEqual([`${PULL}/0 forward 1`, `${PULL}/0 forward 1`]);
    expect(await tick()).toMatchObject({ shiftsStarted: 0 });
  });

  it('goes on when the account settings cannot be read', async () => {
    world.setOnCall((call) => {
      if (call === 'before GetAccountSettingsCommand') {
        throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
      }
    });
    expect(await tick()).toMatchObject({ woken: 3 });
    expect(await world.stack.read()).not.toHaveProperty('unreservedConcurrency');
  });

  it('does nothing once the stack is being removed', async () => {
    await world.stack.markRemoving(world.at());
    expect(await tick({ audit: true })).toMatchObject({ tasks: 0, woken: 0, audited: 0 });
    expect(control.woken).toEqual([]);
  });
});
