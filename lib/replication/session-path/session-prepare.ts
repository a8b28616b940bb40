import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import type { MqttToRocketmqDefinition } from '../../domain/tasks/task.ts';
import { isFromMqtt } from '../../domain/tasks/task-path.ts';
import type { MqttClusterRecord } from '../../ports/mqtt-publisher.ts';
import type { CompiledTask, CompileTask } from '../compiled-tasks.ts';
import { noRocketmq, notCompiled, otherDirection } from '../prepare-errors.ts';
import type { LaneContext } from '../shifts/lane.ts';

/** What a session lane works by. */
export interface PreparedLane {
  definition: MqttToRocketmqDefinition;
  compiled: CompiledTask;
  source: MqttClusterRecord;
  target: RocketmqClusterRecord;
}

/** Makes sure that a lane can be worked on. Throws a `BridgeError`. */
export function prepareLane(
  { task, source, target }: Pick<LaneContext, 'task' | 'source' | 'target'>,
  compileTask: CompileTask,
): PreparedLane {
  const { definition } = task;
  if (target.kind !== 'rocketmq') throw noRocketmq();
  if (source.kind === 'rocketmq' || !isFromMqtt(definition)) throw otherDirection();
  let compiled: CompiledTask | undefined;
  try {
    compiled = compileTask(task);
  } catch (error) {
    throw notCompiled(error);
  }
  if (compiled === undefined) throw otherDirection();
  return { definition, compiled, source, target };
}
