import type { Cluster, RocketmqClusterRecord } from '../domain/cluster.ts';
import { BridgeError, BrokerHoldError } from '../domain/errors.ts';
import type { Task } from '../domain/task.ts';
import type { ClusterReader, TaskReader } from '../ports/task-reader.ts';
import type { CompiledTask, CompileTask } from './compiled-tasks.ts';
import { withTimeout } from './with-timeout.ts';

const READ_TIMEOUT_MS = 5_000;

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
}

/**
 * Reads the task and its target as they are now, for each batch anew: an edit is made while the task is paused, and
 * from then on its mapping counts for everything that waits. Answers why the batch cannot be worked on; never throws.
 */
export async function prepareBatch(taskId: string, options: PrepareOptions): Promise<Preparation> {
  let task: Task | undefined;
  let cluster: Cluster | undefined;
  try {
    task = await read(options.tasks.get(taskId));
    if (task === undefined) return { ok: false, error: taskMissing() };
    cluster = await read(options.clusters.get(task.definition.target.clusterId));
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

async function read<T>(reading: Promise<T>): Promise<T> {
  const answer = await withTimeout(
    reading.then((value) => ({ value })),
    READ_TIMEOUT_MS,
  );
  if (answer === undefined) throw new Error(`reading the table: no answer within ${READ_TIMEOUT_MS} ms`);
  return answer.value;
}

function taskMissing(): BridgeError {
  return new BridgeError('the task of this queue does not exist', {
    code: 'TASK_NOT_FOUND',
    reaction: 'retry',
    scope: 'message',
  });
}

function unreadable(cause: unknown): BridgeError {
  return new BridgeError('reading task and cluster: the table did not answer', {
    code: 'TABLE_UNAVAILABLE',
    reaction: 'retry',
    scope: 'message',
    cause,
  });
}

function noRocketmq(): BridgeError {
  return new BrokerHoldError('the target cluster is not registered, or is no RocketMQ', {
    code: 'CLUSTER_NOT_FOUND',
    scope: 'cluster',
    hint: 'Register the cluster again, or give the task another target.',
  });
}

function otherDirection(): BridgeError {
  return new BrokerHoldError('the queue holds MQTT messages, and the task does not carry those', {
    code: 'DIRECTION_CHANGED',
    scope: 'cluster',
    hint: 'Give the task its MQTT source back until the backlog is gone.',
  });
}

function notCompiled(cause: unknown): BridgeError {
  return new BrokerHoldError('the definition of the task cannot be used', {
    code: 'DEFINITION_INVALID',
    scope: 'cluster',
    hint: 'Edit the task: templates and filters are checked when it is saved.',
    cause,
  });
}
