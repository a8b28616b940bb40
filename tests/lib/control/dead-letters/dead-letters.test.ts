import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryDeadLetterJobs } from '../../../../lib/adapters/memory/dead-letter-jobs.ts';
import { createMemoryDeadLetterStore } from '../../../../lib/adapters/memory/dead-letter-store.ts';
import { createMemoryLargeBodies } from '../../../../lib/adapters/memory/large-bodies.ts';
import { createCreateDeadLetterJob } from '../../../../lib/control/dead-letters/create-dead-letter-job.ts';
import { createGetDeadLetter } from '../../../../lib/control/dead-letters/get-dead-letter.ts';
import { createGetDeadLetterJob } from '../../../../lib/control/dead-letters/get-dead-letter-job.ts';
import { createListDeadLetters } from '../../../../lib/control/dead-letters/list-dead-letters.ts';
import { createSummarizeDeadLetters } from '../../../../lib/control/dead-letters/summarize-dead-letters.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import { encodeSessionEnvelope } from '../../../../lib/mapping/session-envelope.ts';
import { createSteppingClock, envelopeText, NOW_MS, ruleTask, TASK_ID } from '../../../helpers/rule-path.ts';
import { silentLogger } from '../../../helpers/silent-logger.ts';

const LETTER = {
  deadLetterId: '01JD4YQ3V8F0G2H4J6K8M0N2P5',
  taskId: TASK_ID,
  origin: 'forward',
  version: 3,
  code: 'TEMPLATE_VALUE_MISSING',
  reason: 'a value is missing',
  body: envelopeText({ payload: 'offline' }),
  attempts: 1,
  firstSeenAtMs: NOW_MS,
  failedAtMs: NOW_MS,
  storedAtMs: NOW_MS,
} as const;

describe('use cases of dead letters', () => {
  const clock = createSteppingClock();
  let task: Task | undefined;
  let isRemoving: boolean;
  let started: string[];
  const deadLetters = createMemoryDeadLetterStore();
  const largeBodies = createMemoryLargeBodies();
  let jobs = createMemoryDeadLetterJobs(clock);
  const world = () => ({
    tasks: { get: async () => task },
    stack: { read: async () => ({ removing: isRemoving }) as never },
    deadLetters,
    largeBodies,
    jobs,
    starter: {
      start: async (taskId: string) => {
        started.push(taskId);
      },
    },
    clock,
    logger: silentLogger,
  });
  const ask = (action: 'redrive' | 'discard') =>
    createCreateDeadLetterJob(world())({ taskId: TASK_ID, action, selection: { all: true }, actor: 'me' });

  beforeEach(() => {
    task = ruleTask();
    isRemoving = false;
    started = [];
    jobs = createMemoryDeadLetterJobs(clock);
  });

  it('asks for a redrive, with 100 messages a second, and starts the worker', async () => {
    const job = await ask('redrive');
    expect(job).toMatchObject({ action: 'redrive', maxMessagesPerSecond: 100, state: 'queued', actor: 'me' });
    expect(await createGetDeadLetterJob(world())(job)).toEqual(job);
    expect(started).toEqual([TASK_ID]);
  });

  it.each([
    ['is paused', ruleTask({}, { desired: 'paused', status: 'paused' }), 'TASK_NOT_RUNNING', 409],
    ['is being deleted', ruleTask({}, { desired: 'deleted', status: 'deleting' }), 'TASK_DELETING', 409],
    ['is gone', undefined, 'TASK_NOT_FOUND', 404],
  ])('redrives nothing of a task that %s, and discards all the same', async (_what, state, code, status) => {
    task = state;
    await expect(ask('redrive')).rejects.toMatchObject({ code, status });
    expect(started).toEqual([]);
    await expect(ask('discard')).resolves.toMatchObject({ action: 'discard' });
  });

  it('takes no more than ten jobs of a task at a time, and none once the stack is being removed', async () => {
    for (let count = 0; count < 10; count += 1) await ask('discard');
    await expect(ask('discard')).rejects.toMatchObject({ status: 409, code: 'TOO_MANY_JOBS' });
    jobs = createMemoryDeadLetterJobs(clock);
    isRemoving = true;
    await expect(ask('discard')).rejects.toMatchObject({ status: 409, code: 'STACK_REMOVING' });
  });

  it('lists and counts also what a deleted task has left, and knows no other', async () => {
    await deadLetters.put(LETTER);
    task = undefined;
    const list = createListDeadLetters(world());
    expect((await list({ taskId: TASK_ID, limit: 10 })).items).toHaveLength(1);
    expect(await createSummarizeDeadLetters(world())(TASK_ID)).toMatchObject({
      byCode: { TEMPLATE_VALUE_MISSING: 1 },
    });
    for (const use of [
      () => list({ taskId: 'other', limit: 10 }),
      () => createSummarizeDeadLetters(world())('other'),
    ]) {
      await expect(use()).rejects.toMatchObject({ status: 404, code: 'TASK_NOT_FOUND' });
    }
    expect((await list({ taskId: 'UNKNOWN', limit: 10 })).items).toEqual([]);
  });

  it('reads the message, wherever it lies, and keeps what it cannot read as it is', async () => {
    const get = createGetDeadLetter(world());
    const id = (number: number) => `01JD4YQ3V8F0G2H4J6K8M0N2Q${number}`;
    const large = encodeSessionEnvelope({
      taskId: TASK_ID,
      version: 1,
      messageId: 'm',
      receiptTimeMs: NOW_MS,
      topicName: 'stations/7/status',
      payload: Buffer.from('large'),
      userProperties: [],
    });
    await largeBodies.put('overflow/large', large);
    const ruleError = JSON.stringify({
      ruleName: `mqferry_dev_0a1b2c3d_${TASK_ID}_0`,
      topic: 'stations/8/status',
      base64OriginalPayload: Buffer.from('failed').toString('base64'),
    });
    await deadLetters.put({ ...LETTER, deadLetterId: id(0) });
    await deadLetters.put({
      ...LETTER,
      deadLetterId: id(1),
      body: `{"v":2,"task":"${TASK_ID}","r":1,"s3":"overflow/large"}`,
    });
    await deadLetters.put({ ...LETTER, deadLetterId: id(2), origin: 'rule', body: ruleError });
    await deadLetters.put({ ...LETTER, deadLetterId: id(3), origin: 'unknown', body: '{"odd":1}' });
    const contents = [];
    for (const number of [0, 1, 2, 3]) {
      contents.push((await get({ taskId: TASK_ID, deadLetterId: id(number) })).content);
    }
    expect(contents).toMatchObject([
      { kind: 'mqtt', message: { topicName: 'stations/7/status', payload: Buffer.from('offline') } },
      { kind: 'mqtt', message: { payload: Buffer.from('large') } },
      { kind: 'mqtt', message: { topicName: 'stations/8/status', payload: Buffer.from('failed') } },
      { kind: 'unreadable', text: '{"odd":1}' },
    ]);
    await expect(get({ taskId: TASK_ID, deadLetterId: id(9) })).rejects.toMatchObject({
      status: 404,
      code: 'DEAD_LETTER_NOT_FOUND',
    });
  });
});
