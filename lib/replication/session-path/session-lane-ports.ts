import type { Clock } from '../../ports/clock.ts';
import type { ControlQueue } from '../../ports/control-queue.ts';
import type { DeadLetterQueue } from '../../ports/dead-letter-hand-over.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProducerPool } from '../../ports/message-producer.ts';
import type { MqttSessions } from '../../ports/mqtt-session.ts';
import type { OverflowGroups } from '../../ports/overflow-groups.ts';
import type { OverflowQueue } from '../../ports/overflow-queue.ts';
import type { LaneTasks } from '../../ports/task-reader.ts';
import type { FigureMeters } from '../figures/figure-meter.ts';
import type { LaneMeter } from '../figures/lane-meter.ts';
import type { Random } from '../retry-schedule.ts';

/** What session lanes need from the outside. */
export interface SessionLanePorts {
  sessions: MqttSessions;
  producers: Pick<ProducerPool, 'producerFor'>;
  deadLetters: DeadLetterQueue;
  overflowQueue: OverflowQueue;
  overflowGroups: OverflowGroups;
  largeBodies: Pick<LargeBodies, 'put'>;
  tasks: Pick<LaneTasks, 'reportOverflow'>;
  /** Wakes converge, which enables the mapping of a task that overflows. */
  control: ControlQueue;
  figures: FigureMeters;
  clock: Clock;
  logger: Logger;
  settings: SessionLaneSettings;
  /** Gathers metrics; absent: there are none. */
  meter?: LaneMeter;
  /** For jitter; absent: `Math.random`. */
  random?: Random;
}

export interface SessionLaneSettings {
  /** First part of client ids. The same for ever: another one would be another session. */
  clientIdPrefix: string;
  /** Unacknowledged messages between broker and one lane at most (Receive Maximum). */
  receiveMaximum: number;
  /** Bytes of unsettled messages of one lane, beyond which its socket is not read: the shift's memory by its lanes. */
  maxPendingBytes: number;
}
