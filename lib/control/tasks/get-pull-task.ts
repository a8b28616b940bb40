import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import { RequestError } from '../../domain/errors/errors.ts';
import { consumerGroupOf } from '../../domain/tasks/consumer-group.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { isFromRocketmq } from '../../domain/tasks/task-path.ts';
import type { GetCluster } from '../clusters/get-cluster.ts';
import { requireRocketmq } from '../clusters/rocketmq-topic.ts';
import type { GetTask } from './get-task.ts';

/** A task that reads RocketMQ, and what it reads with. */
export interface PullTask {
  task: Task;
  cluster: RocketmqClusterRecord;
  rocketmqTopic: string;
  consumerGroup: string;
}

/** Throws `RequestError`: 404 `TASK_NOT_FOUND`, `CLUSTER_NOT_FOUND`, 409 `PULL_TASK_NEEDED`. */
export type GetPullTask = (taskId: string) => Promise<PullTask>;

export function createGetPullTask({
  getTask,
  getCluster,
}: {
  getTask: GetTask;
  getCluster: GetCluster;
}): GetPullTask {
  return async (taskId) => {
    const task = await getTask(taskId);
    const { definition } = task;
    if (!isFromRocketmq(definition)) {
      throw new RequestError(
        409,
        'PULL_TASK_NEEDED',
        `task ${taskId} does not read RocketMQ: only a task whose source is a RocketMQ topic has a position and a lag there`,
      );
    }
    const { clusterId, topic } = definition.source;
    return {
      task,
      cluster: requireRocketmq(await getCluster(clusterId)),
      rocketmqTopic: topic,
      consumerGroup: consumerGroupOf({ taskId, definition }),
    };
  };
}
