import { BridgeError } from '../../domain/errors/errors.ts';
import { questionFor } from '../../domain/tasks/rocketmq-end.ts';
import { isFromMqtt } from '../../domain/tasks/task-path.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProducerPool } from '../../ports/message-producer.ts';
import type { TargetProbe } from '../../ports/target-probe.ts';
import type { ClusterReader, TaskReader } from '../../ports/task-reader.ts';

/** Less than who asks waits for. */
const CHECK_MS = 4_000;

/** Asks the target of a task that carries to RocketMQ. What is no answer of the target is `unknown`. */
export function createProbeTarget({
  tasks,
  clusters,
  producers,
  clock,
  logger,
}: {
  tasks: Pick<TaskReader, 'get'>;
  clusters: ClusterReader;
  producers: Pick<ProducerPool, 'producerFor'>;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
}): TargetProbe['ask'] {
  return async (taskId) => {
    const definition = (await tasks.get(taskId))?.definition;
    if (definition === undefined || !isFromMqtt(definition)) return 'unknown';
    const cluster = await clusters.get(definition.target.clusterId);
    if (cluster?.kind !== 'rocketmq') return 'unknown';
    const { topic, isAnswer } = questionFor(definition);
    try {
      const producer = await producers.producerFor(cluster);
      await producer.check(topic, clock.now() + CHECK_MS);
      return 'answers';
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      logger.info('target asked', { taskId, code: error.code });
      return isAnswer(error) ? 'answers' : 'away';
    }
  };
}
