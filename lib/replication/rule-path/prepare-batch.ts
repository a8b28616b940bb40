import type { Cluster, RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import type { BridgeError } from '../../domain/errors/errors.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClusterReader, TaskReader } from '../../ports/task-reader.ts';
import type { CompiledTask, CompileTask } from '../compiled-tasks.ts';
import { noRocketmq, notCompiled, otherDirection, taskMissing, unreadable } from '../prepare-errors.ts';
import { withTimeout } from '../with-timeout.ts';

const READ_TIMEOUT_MS = 5_000;
/** Before another try. The client of the table has tried three times by then. */
const READ_WAITS_MS = [100, 200, 400, 800];

export interface PreparedBatch {
  task: Task;
  compiled: CompiledTask;
  cluster: RocketmqClusterRecord;
}

/** `task` is absent when it could not be read: then there is nobody whose status could tell the error. */
export type Preparation = { ok: true; batch: PreparedBatch } | { ok: false; task?: Task; error: BridgeError };

export interface PrepareOptions {
  tasks: Pick<TaskReader, 'get'>;
  clusters: ClusterReader;
  compileTask: CompileTask;
  clock: Pick<Clock, 'sleep'>;
}

/**
 * Reads the task and its target as they are now, for each batch anew: an edit is made while the task is paused, and
 * from then on its mapping counts for everything that waits. Answers why the batch cannot be worked on; never throws.
 */
export async function prepareBatch(taskId: string, options: PrepareOptions): Promise<Preparation> {
  let task: Task | undefined;
  let cluster: Cluster | undefined;
  try {
    task = await read(() => options.tasks.get(taskId), options.clock);
    if (task === undefined) return { ok: false, error: taskMissing() };
    const { clusterId } = task.definition.target;
    cluster = await read(() => options.clusters.get(clusterId), options.clock);
  } catch (error) {
    return { ok: false, ...(task === undefined ? {} : { task }), error: unreadable(error) };
  }
  if (cluster?.kind !== 'rocketmq') return { ok: false, task, error: noRocketmq() };
  try {
    const compiled = options.compileTask(task);
    if (compiled === undefined) return { ok: false, task, error: otherDirection() };
    return { ok: true, batch: { task, compiled, cluster } };
  } catch (error) {
    return { ok: false, task, error: notCompiled(error) };
  }
}

/** A batch that is given back stands still for seconds, so a table that is throttled is asked some more first. */
async function read<T>(ask: () => Promise<T>, clock: Pick<Clock, 'sleep'>): Promise<T> {
  const over = new AbortController();
  const reading = tried(ask, clock, over.signal);
  const answer = await withTimeout(
    reading.then((value) => ({ value })),
    READ_TIMEOUT_MS,
  );
  over.abort();
  if (answer === undefined) throw new Error(`reading the table: no answer within ${READ_TIMEOUT_MS} ms`);
  return answer.value;
}

async function tried<T>(ask: () => Promise<T>, clock: Pick<Clock, 'sleep'>, over: AbortSignal): Promise<T> {
  for (const waitMs of READ_WAITS_MS) {
    try {
      return await ask();
    } catch (error) {
      // Nobody waits for it any more; else the last try says why.
      if (over.aborted) throw error;
      await clock.sleep(waitMs);
    }
  }
  return ask();
}
