import type { DeadLetterJob } from '../../domain/dead-letters/dead-letter-job.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterJobs } from '../../ports/dead-letter-jobs.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { Logger } from '../../ports/logger.ts';
import type { StackStore } from '../../ports/stack-store.ts';
import type { NewTaskEvent } from '../../ports/task-store.ts';
import type { BatchFigures } from '../figures/batch-figures.ts';
import { asBridgeError } from '../outcome.ts';
import { createPacer } from '../pacer.ts';
import type { LetterCarrier } from './letter-outcome.ts';
import { type SelectedLetters, selectLetters } from './select-letters.ts';
import { discardLetters, type LeftLetter, redriveLetters } from './settle-letters.ts';

/** A worker that died is stood in for after this. */
const OWNED_MS = 60_000;
/** Of the function's time, what must be left for one batch more. */
const RESERVE_MS = 45_000;
const CONCURRENT_TASKS = 4;
const MAX_TASKS = 100;
const TASK_GONE = 'TASK_NOT_FOUND';
/** Bound of one run: more jobs of a task are left to the next one. */
const MAX_JOBS = 20;

export interface WorkOnJobsPorts {
  jobs: DeadLetterJobs;
  deadLetters: Pick<DeadLetterStore, 'get' | 'read' | 'failedAgain' | 'remove'>;
  figures: BatchFigures;
  tasks: {
    get(taskId: string): Promise<Task | undefined>;
    appendEvent(taskId: string, event: NewTaskEvent): Promise<void>;
  };
  stack: Pick<StackStore, 'read'>;
  /** Opens the way to the task's target as it is now. Throws a `BridgeError` when that is not reached. */
  openCarrier(task: Task): Promise<LetterCarrier>;
  clock: Clock;
  logger: Logger;
}

/**
 * Works on jobs until they are done, wait for something, or the time is over; whatever is left goes on with the next run.
 *
 * @param run.taskId - absent: of all tasks that have any
 * @param run.owner - unique to the run
 * @param run.deadlineMs - epoch ms at which the function is ended by force
 */
export type WorkOnJobs = (run: { taskId?: string; owner: string; deadlineMs: number }) => Promise<void>;

/** Where a job got to in this run. `lost`: somebody else has it. */
type Reached = 'done' | 'waiting' | 'out-of-time' | 'lost';

interface Run {
  owner: string;
  deadlineMs: number;
}

/**
 * Carries out what people have asked for about dead letters. A letter is removed when, and only when, the target has taken its
 * message, or it was to be discarded. A worker killed in between has the last batch redriven again: its messages say that
 * they may come twice (`mqferry_redriven`).
 */
export function createWorkOnJobs(ports: WorkOnJobsPorts): WorkOnJobs {
  const { jobs, tasks, deadLetters, stack, clock, logger } = ports;
  const hasTime = ({ deadlineMs }: Run) => clock.now() < deadlineMs - RESERVE_MS;

  /** One job after the other. One that waits for its target holds up other redrives, but no discarding. */
  async function workOnTask(taskId: string, run: Run): Promise<void> {
    let waiting: string | undefined;
    for (let count = 0; count < MAX_JOBS && hasTime(run); count += 1) {
      if ((await stack.read()).removing) return;
      const job = await jobs.take(taskId, run.owner, OWNED_MS, waiting);
      if (job === undefined) return;
      const isHeldUp = waiting !== undefined && job.action === 'redrive';
      const reached = isHeldUp ? await letGo(job, run) : await carryOut(job, run);
      if (reached === 'waiting') waiting = job.jobId;
      else if (reached !== 'done') return;
    }
  }

  /** As it was found. */
  async function letGo(job: DeadLetterJob, { owner }: Run): Promise<Reached> {
    return (await jobs.save(job, owner, 0)) ? 'waiting' : 'lost';
  }

  async function carryOut(job: DeadLetterJob, run: Run): Promise<Reached> {
    job.state = 'running';
    delete job.reason;
    if (job.action === 'discard') return goThrough(job, undefined, run);
    const carrier = await openCarrier(job);
    // Nothing that could change.
    if ('code' in carrier && carrier.code === TASK_GONE) return finish({ ...job, reason: carrier }, run);
    if ('code' in carrier) return wait(job, carrier, run);
    try {
      return await goThrough(job, carrier, run);
    } finally {
      await carrier.close();
    }
  }

  /** The way to the target, or why there is none now. */
  async function openCarrier({
    taskId,
    jobId,
  }: DeadLetterJob): Promise<LetterCarrier | NonNullable<DeadLetterJob['reason']>> {
    const task = await tasks.get(taskId);
    if (task === undefined) return { code: TASK_GONE, message: 'the task is gone: discard them instead' };
    if (task.desired !== 'running') {
      return { code: 'TASK_NOT_RUNNING', message: 'the task is paused: it goes on when that is started' };
    }
    try {
      return await ports.openCarrier(task);
    } catch (error) {
      logger.warn('dead letters not redriven', { taskId, jobId, error });
      const { code, message } = asBridgeError(error);
      return { code, message };
    }
  }

  /** Batch by batch. Bounded by the function's time. */
  async function goThrough(
    job: DeadLetterJob,
    carrier: LetterCarrier | undefined,
    run: Run,
  ): Promise<Reached> {
    const pace = createPacer(
      carrier === undefined ? undefined : job.maxMessagesPerSecond,
      clock,
      new AbortController().signal,
    );
    while (hasTime(run)) {
      const reached = await goOn(job, carrier, pace, run);
      if (reached !== 'on') return reached;
    }
    return (await jobs.save(job, run.owner, 0)) ? 'out-of-time' : 'lost';
  }

  /** One batch. */
  async function goOn(
    job: DeadLetterJob,
    carrier: LetterCarrier | undefined,
    pace: () => Promise<void> | undefined,
    run: Run,
  ): Promise<Reached | 'on'> {
    const batch = await selectLetters(job, deadLetters);
    if (batch.throughId === undefined) return finish(job, run);
    for (const _ of batch.letters) await pace();
    job.counts.missing += batch.missing;
    const left = await settle(job, batch, carrier);
    const throughId = left === undefined ? batch.throughId : idBefore(batch, left.deadLetterId);
    if (throughId !== undefined) job.throughId = throughId;
    if (left !== undefined) return wait(job, left.reason, run);
    return (await jobs.save(job, run.owner, OWNED_MS)) ? 'on' : 'lost';
  }

  async function settle(
    job: DeadLetterJob,
    { letters }: SelectedLetters,
    carrier: LetterCarrier | undefined,
  ): Promise<LeftLetter | undefined> {
    if (carrier !== undefined) return redriveLetters(job, letters, carrier, ports);
    await discardLetters(job, letters, ports);
    return undefined;
  }

  async function wait(
    job: DeadLetterJob,
    reason: NonNullable<DeadLetterJob['reason']>,
    { owner }: Run,
  ): Promise<Reached> {
    return (await jobs.save({ ...job, state: 'waiting', reason }, owner, 0)) ? 'waiting' : 'lost';
  }

  async function finish(job: DeadLetterJob, { owner }: Run): Promise<Reached> {
    const finishedAtMs = clock.now();
    if (!(await jobs.save({ ...job, state: 'done', finishedAtMs }, owner, 0))) return 'lost';
    const { taskId, jobId, action, counts } = job;
    logger.info('dead letters worked through', { taskId, jobId, action, ...counts });
    await tasks.appendEvent(taskId, eventOf(job, finishedAtMs)).catch((error: unknown) => {
      // The job itself tells the same.
      logger.warn('event not written', { taskId, jobId, error });
    });
    return 'done';
  }

  return async ({ taskId, ...run }) => {
    const taskIds = taskId === undefined ? await jobs.tasksWithOpenJobs(MAX_TASKS) : [taskId];
    await forEachInFlight(taskIds, CONCURRENT_TASKS, async (id) => {
      try {
        await workOnTask(id, run);
      } catch (error) {
        // Another worker takes the job up where it was saved last.
        logger.error('dead letters not worked on', { taskId: id, error });
      }
    });
  };
}

function eventOf({ jobId, action, counts }: DeadLetterJob, atMs: number): NewTaskEvent {
  const isRedrive = action === 'redrive';
  return {
    at: new Date(atMs).toISOString(),
    code: isRedrive ? 'DEAD_LETTERS_REDRIVEN' : 'DEAD_LETTERS_DISCARDED',
    message: isRedrive
      ? `of the dead letters, ${counts.redriven} have arrived and ${counts.failed} failed again`
      : `${counts.discarded} dead letters were discarded`,
    details: { jobId, ...counts },
  };
}

function idBefore({ looked }: SelectedLetters, deadLetterId: string): string | undefined {
  return looked[looked.indexOf(deadLetterId) - 1];
}
