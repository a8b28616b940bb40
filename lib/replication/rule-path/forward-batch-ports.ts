import type { CanaryStore } from '../../ports/canary-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterQueue } from '../../ports/dead-letter-hand-over.ts';
import type { LaneLeases } from '../../ports/lane-leases.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProducerPool } from '../../ports/message-producer.ts';
import type { OverflowGroups } from '../../ports/overflow-groups.ts';
import type { PresenceStates } from '../../ports/presence-states.ts';
import type { RetryTallies } from '../../ports/retry-tallies.ts';
import type { ClusterReader, TaskReader } from '../../ports/task-reader.ts';
import type { Visibility } from '../../ports/visibility.ts';
import type { BatchFigures } from '../figures/batch-figures.ts';
import type { ReportCounts } from '../figures/count-report.ts';
import type { Random } from '../retry-schedule.ts';

/** What forwarding a batch needs from the outside. */
export interface ForwardBatchPorts {
  tasks: TaskReader;
  clusters: ClusterReader;
  producers: Pick<ProducerPool, 'producerFor'>;
  deadLetters: DeadLetterQueue;
  visibility: Visibility;
  /** Envelopes that are too large for a record. */
  largeBodies: Pick<LargeBodies, 'get'>;
  /** Ordered tasks: told what was settled. */
  overflowGroups: Pick<OverflowGroups, 'settled'>;
  /** Canaries of the rule path; absent: every record is a message. */
  canaries?: Pick<CanaryStore, 'get' | 'came'>;
  /** Tasks with `options.presence`. */
  presenceStates: PresenceStates;
  figures: BatchFigures;
  /** Tasks whose `options.retry` is bounded; of sessions, when their lanes have sent something directly. */
  retryTallies: RetryTallies;
  lanes: Pick<LaneLeases, 'list'>;
  clock: Clock;
  logger: Logger;
  /** Told once for each task of a batch, which is the batch's line in the log; absent: the line has no metrics. */
  report?: ReportCounts;
  /** For jitter; absent: `Math.random`. */
  random?: Random;
}
