import { SQSClient } from '@aws-sdk/client-sqs';
import { createDynamoFigureStore } from '../../lib/adapters/dynamodb/figure-store.ts';
import { DATA_PLANE_SQS_CLIENT } from '../../lib/adapters/sqs/client-options.ts';
import { createSqsQueueCounter } from '../../lib/adapters/sqs/queue-counter.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import { createReadBalance, type ReadBalance } from '../../lib/control/figures/read-balance.ts';
import { rootConfig } from '../../local/deploy.ts';
import type { FaultStage } from '../faults/stage.ts';
import { silentLogger } from '../helpers/silent-logger.ts';
import type { ExactPath } from './paths.ts';
import { metricsOf, type ShownBalance } from './totals.ts';

/** The balance of a task, as its users are told. */
export type AskBalance = (one: ExactPath) => Promise<ShownBalance>;

/**
 * By the API; of the rule path, whose witness is CloudWatch and which no emulator has, by the same code with what its publisher has
 * counted in CloudWatch's place.
 */
export function openBalances(stage: FaultStage): { ask: AskBalance; close(): void } {
  const sqs = new SQSClient({ ...DATA_PLANE_SQS_CLIENT, ...rootConfig(stage.stack.aws) });
  const figures = createDynamoFigureStore(stage.table);
  const queueCounter = createSqsQueueCounter({ sqs });

  function readerFor({ source }: ExactPath): ReadBalance {
    const queueMetrics = { read: async () => ({ sent: source.byMinute }) };
    return createReadBalance({
      figures,
      queueCounter,
      queueMetrics,
      clock: systemClock,
      logger: silentLogger,
    });
  }

  return {
    async ask(one) {
      if (one.path !== 'rule') return (await metricsOf(stage.api, one.taskId)).balance;
      const task = await stage.tasks.get(one.taskId);
      if (task === undefined) throw new Error(`there is no task ${one.taskId}`);
      const { minutes, ...balance } = (await readerFor(one)(task)).balance;
      return { ...balance, minutes: minutes?.compared ?? 0 };
    },
    close: () => sqs.destroy(),
  };
}
