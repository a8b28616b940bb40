import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import type { RetryOption } from '../../../../lib/domain/tasks/retry-policy.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import { encodeSessionEnvelope } from '../../../../lib/mapping/session-envelope.ts';
import type { ForwardBatchPorts } from '../../../../lib/replication/rule-path/forward-batch-ports.ts';
import type { SourceRecord } from '../../../../lib/replication/rule-path/source-record.ts';
import { createForwardWorld } from '../../../helpers/forward-world.ts';
import { NOW_MS, ruleTask, sourceRecord, TASK_ID } from '../../../helpers/rule-path.ts';
import { orderedTask } from '../../../helpers/session-lane.ts';

const BACKOFF: RetryOption = { preset: 'backoff' };
const ONE_TRY: RetryOption = { preset: 'custom', maxTries: 1, firstWaitSeconds: 1, longestWaitSeconds: 1 };
const odd = new BrokerUnavailableError('internal server error', { code: 'TARGET_ERROR' });
const away = new BrokerUnavailableError('away', { code: 'TARGET_UNREACHABLE' });

function setUp(task: Task, lastStoredAtMs: () => number | undefined = () => undefined) {
  const lanes: ForwardBatchPorts['lanes'] = {
    async list(taskId) {
      const atMs = lastStoredAtMs();
      const state = { mode: 'forward', version: 3, isEffective: true } as const;
      const stored = atMs === undefined ? {} : { lastStoredAtMs: atMs };
      return [{ taskId, lane: 0, epoch: 1, state: { ...state, ...stored } }];
    },
  };
  const topics = { charger_status: 'NORMAL', fifo: 'FIFO' } as const;
  const world = createForwardWorld(task, topics, { lanes });
  const { clock, table, producer, deadLetters, visibility, forwardBatch } = world;
  return {
    clock,
    table,
    producer,
    deadLetters,
    /** Hands out the records; answers after how many seconds each of those that failed comes again. */
    async receive(...records: SourceRecord[]): Promise<Record<string, number | undefined>> {
      const before = visibility.changes.length;
      const { failedRecordIds } = await forwardBatch(records, { deadlineMs: clock.now() + 30_000 });
      const changes = visibility.changes.slice(before);
      return Object.fromEntries(
        failedRecordIds.map((id) => {
          const change = changes.find(({ receiptHandle }) => receiptHandle === `receipt-of-${id}`);
          return [id, change?.visibilityTimeoutSeconds];
        }),
      );
    },
    bodies: (topic = 'charger_status') => producer.stored(topic).map(({ body }) => body.toString()),
  };
}

const bounded = (retry: RetryOption) => ruleTask({ options: { retry } });
const bad = () => sourceRecord({ payload: 'bad' }, { recordId: 'bad' });
const failsForBad = ({ body }: { body: Buffer }) => (body.toString() === 'bad' ? odd : undefined);

describe('options.retry of a batch', () => {
  it('gives a message up that fails three times more while its target takes others, 10 to 20 s apart', async () => {
    const { clock, producer, deadLetters, receive, table } = setUp(bounded(BACKOFF));
    producer.decide(failsForBad);
    // The first failure is nobody's yet: tried again in the function, then as ever.
    expect(await receive(sourceRecord(), bad())).toEqual({ bad: 3 });
    const waits = [];
    for (let tries = 0; tries < 2; tries += 1) {
      clock.step(15_000);
      const beganMs = clock.now();
      waits.push((await receive(sourceRecord(), bad())).bad);
      // Its fault is known: the function does not wait for it.
      expect(clock.now() - beganMs).toBeLessThan(1_000);
    }
    expect(waits).toEqual([15, 15]);
    clock.step(15_000);
    expect(await receive(sourceRecord(), { ...bad(), receiveCount: 4 })).toEqual({});
    expect(deadLetters.entries).toMatchObject([
      {
        recordId: 'bad',
        code: 'RETRIES_EXHAUSTED',
        lastCode: 'TARGET_ERROR',
        tries: 3,
        attempts: 4,
        targetTopic: 'charger_status',
        firstSeenAtMs: NOW_MS - 10,
        failedAtMs: clock.now(),
      },
    ]);
    expect(table.reports.map(({ status }) => status)).not.toContain('failed');
    expect(table.task?.status).toBe('running');
  });

  it('never gives it up by default', async () => {
    const { clock, producer, deadLetters, receive } = setUp(ruleTask());
    producer.decide(failsForBad);
    for (let tries = 1; tries <= 300; tries += 1) {
      expect(Object.keys(await receive(sourceRecord(), { ...bad(), receiveCount: tries }))).toEqual(['bad']);
      clock.step(30_000);
    }
    expect(deadLetters.entries).toEqual([]);
  });

  it('counts one try where a message is alone, until the target takes another', async () => {
    const { clock, producer, deadLetters, receive } = setUp(bounded(ONE_TRY));
    producer.decide(failsForBad);
    for (let tries = 0; tries < 50; tries += 1) {
      expect(Object.keys(await receive(bad()))).toEqual(['bad']);
      clock.step(60_000);
    }
    await receive(sourceRecord());
    clock.step(1_000);
    expect(await receive(bad())).toEqual({});
    expect(deadLetters.entries).toMatchObject([{ code: 'RETRIES_EXHAUSTED', tries: 1 }]);
  });

  it('makes no dead letter of an outage, whenever it begins and however long it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          // In messages that the target answers: it may go away in the middle of a batch.
          awayFrom: fc.integer({ min: 0, max: 20 }),
          awayForMs: fc.integer({ min: 0, max: 4 * 3_600_000 }),
          stepMs: fc.integer({ min: 100, max: 60_000 }),
          code: fc.constantFrom(odd, away),
        }),
        async ({ awayFrom, awayForMs, stepMs, code }) => {
          const { clock, producer, deadLetters, receive, bodies } = setUp(bounded(ONE_TRY));
          let answers = 0;
          let backAtMs = Number.POSITIVE_INFINITY;
          producer.decide(() => {
            answers += 1;
            if (answers <= awayFrom) return undefined;
            if (backAtMs === Number.POSITIVE_INFINITY) backAtMs = clock.now() + awayForMs;
            return clock.now() < backAtMs ? code : undefined;
          });
          let open: SourceRecord[] = [];
          let made = 0;
          for (let batches = 0; batches < 60; batches += 1) {
            if (made < 30) {
              const payloads = Array.from({ length: 3 }, () => `m${made++}`);
              const at = { sentTimeMs: clock.now(), firstReceiveTimeMs: clock.now() };
              open.push(
                ...payloads.map((payload) => sourceRecord({ payload }, { recordId: payload, ...at })),
              );
            }
            const failed = await receive(...open.slice(0, 10));
            open = [...open.slice(10), ...open.slice(0, 10).filter(({ recordId }) => recordId in failed)];
            clock.step(batches < 55 ? stepMs : 4 * 3_600_000);
          }
          expect(deadLetters.entries).toEqual([]);
          expect(open).toEqual([]);
          expect(new Set(bodies()).size).toBe(30);
        },
      ),
      { numRuns: Number(process.env.FC_RUNS ?? 20) },
    );
  });

  it('counts nothing for those whom a send without an answer has taken with it', async () => {
    const { clock, producer, deadLetters, receive } = setUp(bounded(ONE_TRY));
    // A send that gets no answer to one message answers the same for all behind it.
    let ended = false;
    producer.decide(({ body }) => {
      ended ||= body.toString() === 'bad';
      return ended ? away : undefined;
    });
    const neighbour = () => sourceRecord({ payload: 'neighbour' }, { recordId: 'neighbour' });
    for (let tries = 0; tries < 10; tries += 1) {
      ended = false;
      await receive(sourceRecord(), bad(), neighbour());
      clock.step(20_000);
    }
    expect(deadLetters.entries.map(({ recordId }) => recordId)).not.toContain('neighbour');
  });

  describe('from a FIFO queue', () => {
    const ordered = () => {
      const task = orderedTask();
      task.definition.options.retry = BACKOFF;
      return task;
    };
    const recordIn = (task: Task) => (payload: string) =>
      sourceRecord(
        encodeSessionEnvelope({
          taskId: TASK_ID,
          version: 3,
          messageId: `id-${payload}`,
          receiptTimeMs: NOW_MS - 1_000,
          topicName: `stations/${payload.split('.')[0]}`,
          payload: Buffer.from(payload),
          userProperties: [],
        }),
        {
          recordId: payload,
          queueArn: task.resources.queue?.arn ?? '',
          groupKey: `stations/${payload.split('.')[0]}`,
          putId: `put-${payload}`,
        },
      );

    it('holds the group of the message, lets others pass, and goes on with the group when it is given up', async () => {
      const task = ordered();
      const { clock, producer, deadLetters, receive, bodies } = setUp(task);
      const record = recordIn(task);
      producer.decide(({ body }) => (body.toString() === 'a.0' ? odd : undefined));
      const group = () => ['a.0', 'a.1', 'a.2'].map(record);
      // In the first batch the other group has gone through between two of its failures already.
      for (const other of ['b.0', 'b.1']) {
        expect(await receive(...group(), record(other))).toEqual({ 'a.0': 15, 'a.1': 15, 'a.2': 15 });
        clock.step(20_000);
      }
      expect(bodies('fifo')).toEqual(['b.0', 'b.1']);
      expect(await receive(...group(), record('b.2'))).toEqual({});
      expect(deadLetters.entries).toMatchObject([{ recordId: 'a.0', code: 'RETRIES_EXHAUSTED', tries: 3 }]);
      expect(bodies('fifo').filter((body) => body.startsWith('a'))).toEqual(['a.1', 'a.2']);
    });

    it('counts what the lanes of the session have sent directly meanwhile, which does not come this way', async () => {
      const task = ordered();
      let lanesAtMs: number | undefined;
      const { clock, producer, deadLetters, receive } = setUp(task, () => lanesAtMs);
      const record = recordIn(task);
      producer.decide(() => odd);
      const waits = [];
      for (let tries = 0; tries < 9; tries += 1) {
        waits.push((await receive(record('a.0')))['a.0']);
        clock.step(20_000);
        if (tries >= 5) lanesAtMs = clock.now();
        clock.step(2_000);
      }
      // Until then nothing says that the target takes anything.
      expect(waits.slice(0, 6).every((wait) => wait === 2 || wait === 45)).toBe(true);
      expect(waits.slice(6)).toEqual([15, 15, undefined]);
      expect(deadLetters.entries[0]).toMatchObject({ recordId: 'a.0', tries: 3 });
    });

    it('counts no failure without an answer: the broker of this group may be away alone', async () => {
      const task = ordered();
      const { clock, producer, deadLetters, receive } = setUp(task);
      const record = recordIn(task);
      producer.decide(({ body }) => (body.toString().startsWith('a') ? away : undefined));
      for (let tries = 0; tries < 30; tries += 1) {
        expect(Object.keys(await receive(record('a.0'), record(`b.${tries}`)))).toEqual(['a.0']);
        clock.step(30_000);
      }
      expect(deadLetters.entries).toEqual([]);
    });
  });
});
