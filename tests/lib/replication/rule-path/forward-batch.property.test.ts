import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryPresenceStates } from '../../../../lib/adapters/memory/presence-states.ts';
import { createMemoryRetryTallies } from '../../../../lib/adapters/memory/retry-tallies.ts';
import {
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
  GroupStoppedError,
  InvalidMessageError,
} from '../../../../lib/domain/errors/errors.ts';
import type { RocketmqMessage } from '../../../../lib/domain/messages/message.ts';
import type { DeadLetterHandOver } from '../../../../lib/ports/dead-letter-hand-over.ts';
import { createForwardBatch } from '../../../../lib/replication/rule-path/forward-batch.ts';
import type { SourceRecord } from '../../../../lib/replication/rule-path/source-record.ts';
import { memoryBatchFigures } from '../../../helpers/batch-figures.ts';
import {
  createRecordingLogger,
  createSteppingClock,
  createTaskTable,
  NOW_MS,
  rocketmqCluster,
  ruleTask,
  sourceRecord,
  TASK_ID,
} from '../../../helpers/rule-path.ts';

/** What a record is, and with it everything that may become of it. */
const KINDS = ['good', 'not-json', 'unmappable', 'filtered', 'loop'] as const;
type Kind = (typeof KINDS)[number];
const HOPELESS: ReadonlySet<Kind> = new Set(['not-json', 'unmappable']);
const LEFT_OUT: ReadonlySet<Kind> = new Set(['filtered', 'loop']);

/** What the cluster says to one message of one send. */
const VERDICTS = {
  stored: () => undefined,
  away: () => new BrokerUnavailableError('away'),
  lostAnswer: () => new BrokerUnavailableError('no answer', { maybeStored: true }),
  stopped: () => new GroupStoppedError('stopped'),
  slower: () => new BrokerThrottledError('slower', { waitMs: 700 }),
  bad: () => new InvalidMessageError('bad'),
  noTopic: () => new BrokerHoldError('no topic', { code: 'TOPIC_NOT_FOUND', scope: 'topic' }),
  noAccess: () => new BrokerHoldError('no access', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' }),
  nonsense: () => 'nonsense' as const,
};
type Verdict = keyof typeof VERDICTS;

/** How a call of a port ends, beside what it does. */
const ENDINGS = ['answers', 'throws', 'answers nonsense', 'answers too little'] as const;
type Ending = (typeof ENDINGS)[number];

interface Script {
  verdicts: Verdict[];
  sendEndings: Ending[];
  handOvers: boolean[];
  handOverEndings: Ending[];
  readFailures: boolean[];
  /** The function is ended by force in this call of a port, before or after its effect. */
  kill?: { call: number; after: boolean };
}

const weighted = <T>(weight: number, common: T, rare: readonly T[]) =>
  fc.oneof({ weight, arbitrary: fc.constant(common) }, { weight: 1, arbitrary: fc.constantFrom(...rare) });
const tape = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: 1, maxLength: 40 });
const script = {
  verdicts: tape(weighted(1, 'stored' as Verdict, Object.keys(VERDICTS) as Verdict[])),
  sendEndings: tape(weighted(1, 'answers' as Ending, ENDINGS)),
  handOvers: tape(weighted(3, true, [false])),
  handOverEndings: tape(weighted(1, 'answers' as Ending, ENDINGS)),
  readFailures: tape(weighted(6, false, [true])),
};
const kill = fc.record({ call: fc.integer({ min: 1, max: 12 }), after: fc.boolean() });
const kinds = fc.array(weighted(3, 'good' as Kind, KINDS), { minLength: 1, maxLength: 40 });
const topicTemplates = fc.constantFrom('charger_status', '${payload.topic}');

function recordOf(kind: Kind, index: number): SourceRecord {
  const payload = JSON.stringify({ id: index, topic: `topic_${index % 3}`, tag: 't' });
  const changes = { recordId: `${kind}-${index}`, receiveCount: index % 7 === 0 ? 11 : 1 };
  switch (kind) {
    case 'good':
      return sourceRecord({ payload, id: `${kind}-${index}` }, changes);
    case 'not-json':
      return sourceRecord('{"v":1', changes);
    case 'unmappable':
      return sourceRecord({ payload: '{"no":"tag"}' }, changes);
    case 'filtered':
      return sourceRecord({ payload, t: 'elsewhere' }, changes);
    case 'loop':
      return sourceRecord({ payload, up: [{ mqferry_path: TASK_ID }] }, changes);
  }
}

/** A world that keeps what it has truly taken, whatever it then says about it. */
function createWorld(topic: string) {
  const stored = new Set<string>();
  /** Of each copy, whether it says that it may be one. */
  const copies = new Map<string, boolean[]>();
  const provenStored = new Set<string>();
  const accepted = new Map<string, DeadLetterHandOver>();
  const provenAccepted = new Set<string>();
  return { topic, stored, copies, provenStored, accepted, provenAccepted };
}
type World = ReturnType<typeof createWorld>;

const cycle = <T>(values: readonly T[]): (() => T) => {
  let index = 0;
  return () => values[index++ % values.length] as T;
};

/** Runs one batch; undefined when the function was ended by force. */
async function run(world: World, records: readonly SourceRecord[], lines: Script) {
  const { promise: killed, resolve: kill } = Promise.withResolvers<undefined>();
  let calls = 0;
  async function call<T>(effect: () => T): Promise<T> {
    calls += 1;
    const isLast = calls === lines.kill?.call;
    if (isLast && !lines.kill?.after) return end();
    const answer = effect();
    await Promise.resolve();
    return isLast ? end() : answer;
  }
  function end<T>(): Promise<T> {
    kill(undefined);
    return new Promise<never>(() => {});
  }

  const verdict = cycle(lines.verdicts);
  const sendEnding = cycle(lines.sendEndings);
  const handOver = cycle(lines.handOvers);
  const handOverEnding = cycle(lines.handOverEndings);
  const readFails = cycle(lines.readFailures);
  const clock = createSteppingClock();
  const table = createTaskTable(
    ruleTask({ target: { clusterId: 'business', topic: world.topic, tag: '${payload.tag}' } }),
  );
  const refuse = (): never => {
    throw new Error('away');
  };

  const send = (messages: readonly RocketmqMessage[]) => {
    const ending = sendEnding();
    const results = messages.map((message) => {
      const id = message.properties.get('mqferry_id') ?? '';
      const said = VERDICTS[verdict()]();
      if (said === undefined || (typeof said === 'object' && said.maybeStored)) {
        world.stored.add(id);
        world.copies.set(id, [
          ...(world.copies.get(id) ?? []),
          message.properties.get('mqferry_resent') === '1',
        ]);
      }
      if (said === undefined && ending === 'answers') world.provenStored.add(id);
      if (said === 'nonsense') return said;
      return said === undefined ? { status: 'stored', messageId: id } : { status: 'failed', error: said };
    });
    return ended(ending, results);
  };
  const handOverAll = (entries: readonly DeadLetterHandOver[]) => {
    const ending = handOverEnding();
    const answers = entries.map((entry) => {
      const isAccepted = handOver();
      if (isAccepted) world.accepted.set(entry.recordId, entry);
      if (isAccepted && ending === 'answers') world.provenAccepted.add(entry.recordId);
      return isAccepted;
    });
    return ended(ending, answers);
  };
  const ended = (ending: Ending, answers: unknown[]): never => {
    if (ending === 'throws') return refuse();
    if (ending === 'answers nonsense') return 'nonsense' as never;
    return (ending === 'answers too little' ? answers.slice(1) : answers) as never;
  };

  const forwardBatch = createForwardBatch({
    tasks: {
      get: (taskId) => call(() => (readFails() ? refuse() : table.get(taskId))).then((task) => task),
      reportHealth: (taskId, health) => call(() => table.reportHealth(taskId, health)).then((told) => told),
      appendEvent: async (taskId, event) => {
        await call(() => table.appendEvent(taskId, event));
      },
    },
    clusters: { get: () => call(() => rocketmqCluster()) },
    producers: {
      producerFor: async () => ({
        send: (_topic, messages) => call(() => send(messages)),
        check: async () => {},
        close: async () => {},
      }),
    },
    deadLetters: { send: (entries) => call(() => handOverAll(entries)) },
    largeBodies: { get: async () => undefined },
    overflowGroups: { settled: async () => undefined },
    figures: memoryBatchFigures(clock),
    presenceStates: createMemoryPresenceStates(),
    retryTallies: createMemoryRetryTallies(),
    lanes: { list: async () => [] },
    visibility: { change: (_arn, changes) => call(() => changes.map(() => true)) },
    clock: { now: clock.now, sleep: (ms) => call(() => clock.sleep(ms)).then(() => undefined) },
    logger: createRecordingLogger(),
    random: () => 0.5,
  });
  return Promise.race([killed, forwardBatch(records, { deadlineMs: NOW_MS + 12_000 })]);
}

/** What is sent again says so. */
function expectMarkedCopies({ copies }: World): void {
  for (const [, ...later] of copies.values()) expect(later).not.toContain(false);
}

const sum = (counts: Record<string, number>) =>
  Object.values(counts).reduce((total, count) => total + count, 0);
const GOOD: Script = {
  verdicts: ['stored'],
  sendEndings: ['answers'],
  handOvers: [true],
  handOverEndings: ['answers'],
  readFailures: [false],
};

describe('createForwardBatch', () => {
  // What was ended by force leaves its timeouts behind.
  beforeAll(() => {
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
  });
  afterAll(() => {
    jest.useRealTimers();
  });

  it('books every record exactly once, and acknowledges none without a proof', async () => {
    await fc.assert(
      fc.asyncProperty(kinds, topicTemplates, fc.record(script), async (batch, topic, lines) => {
        const records = batch.map(recordOf);
        const world = createWorld(topic);
        const result = await run(world, records, lines);
        if (result === undefined) throw new Error('ended by force without being told to');
        const failed = new Set(result.failedRecordIds);
        expect(failed.size).toBe(result.failedRecordIds.length);

        const [counts] = result.counts;
        if (counts === undefined) throw new Error('no counts');
        const acknowledged = records.filter(({ recordId }) => !failed.has(recordId));
        const left = counts.filtered + counts.loopSkipped + counts.overlap;
        expect(counts.replicated + sum(counts.failed) + left).toBe(acknowledged.length);
        expect(sum(counts.returned)).toBe(failed.size);

        for (const [index, { recordId }] of records.entries()) {
          if (failed.has(recordId)) continue;
          const kind = batch[index] ?? 'good';
          const proofs = [
            world.provenStored.has(recordId),
            world.provenAccepted.has(recordId),
            LEFT_OUT.has(kind),
          ];
          expect({ recordId, proofs: proofs.filter(Boolean).length > 0 }).toEqual({ recordId, proofs: true });
          if (HOPELESS.has(kind)) expect(world.stored.has(recordId)).toBe(false);
        }
        expectMarkedCopies(world);
      }),
      { numRuns: 400 },
    );
  });

  it('loses nothing when it is ended by force at any await, at any batch', async () => {
    const lives = fc.array(fc.record({ ...script, kill }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(kinds, topicTemplates, lives, async (batch, topic, scripts) => {
        const records = batch.map(recordOf);
        const world = createWorld(topic);
        let waiting = records;
        for (const lines of [...scripts, GOOD]) {
          const result = await run(world, waiting, lines);
          // Ended by force: nothing was acknowledged, everything comes again.
          if (result === undefined) continue;
          const failed = new Set(result.failedRecordIds);
          waiting = waiting.filter(({ recordId }) => failed.has(recordId));
        }
        expect(waiting).toEqual([]);
        for (const [index, record] of records.entries()) {
          const { recordId } = record;
          if (LEFT_OUT.has(batch[index] ?? 'good')) continue;
          const isSafe = world.stored.has(recordId) || world.accepted.has(recordId);
          expect({ recordId, isSafe }).toEqual({ recordId, isSafe: true });
          expect(world.accepted.get(recordId)?.envelope ?? record.body).toBe(record.body);
        }
      }),
      { numRuns: 400 },
    );
  });

  it.each([500, 2_000])('takes a batch of %i records', async (size) => {
    const records = Array.from({ length: size }, (_, index) => recordOf('good', index * 7 + 1));
    const world = createWorld('charger_status');
    const result = await run(world, records, GOOD);
    expect(result?.failedRecordIds).toEqual([]);
    expect(world.provenStored.size).toBe(size);
  });
});
