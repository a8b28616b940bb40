import { BrokerHoldError } from '../../domain/errors/errors.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { isFromMqtt, isFromRocketmq } from '../../domain/tasks/task-path.ts';
import { type CarryForwardPorts, createForwardCarrier } from './carry-forward.ts';
import { type CarryPulledPorts, openPulledCarrier } from './carry-pulled.ts';
import type { LetterCarrier } from './letter-outcome.ts';

/**
 * The way of a task's dead letters to its target, by its direction. Throws a `BridgeError` when the target is not reached, or
 * is none for this direction any more.
 */
export function createOpenCarrier(
  ports: CarryForwardPorts & CarryPulledPorts,
): (task: Task) => Promise<LetterCarrier> {
  return async (task) => {
    const { definition } = task;
    if (isFromMqtt(definition)) return createForwardCarrier(task, ports);
    const target = await ports.clusters.get(definition.target.clusterId);
    if (!isFromRocketmq(definition) || target === undefined || target.kind === 'rocketmq') {
      throw new BrokerHoldError('the target of the task is not registered, or speaks no MQTT any more', {
        code: 'CLUSTER_NOT_FOUND',
        scope: 'cluster',
        hint: 'Register the cluster again, or give the task another one.',
      });
    }
    return openPulledCarrier({ task, definition, target }, ports);
  };
}
