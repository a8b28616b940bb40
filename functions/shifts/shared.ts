import { createDynamoClusterStore } from '../../lib/adapters/dynamodb/cluster-store.ts';
import { createDynamoLaneLeases } from '../../lib/adapters/dynamodb/lane-leases.ts';
import { createDynamoShiftRoster } from '../../lib/adapters/dynamodb/shift-roster.ts';
import { createDynamoShiftSlots } from '../../lib/adapters/dynamodb/shift-slots.ts';
import { createDynamoStackStore } from '../../lib/adapters/dynamodb/stack-store.ts';
import type { Table } from '../../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../../lib/adapters/dynamodb/task-store.ts';
import { guardAddresses } from '../../lib/adapters/network/address-guard.ts';
import type { PullShiftConfig } from '../../lib/config/shift.ts';
import type { TaskDirection } from '../../lib/domain/tasks/task.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Logger } from '../../lib/ports/logger.ts';
import type { MetricsLog } from '../../lib/ports/metrics-log.ts';
import { createMetricsReport } from '../../lib/replication/figures/count-report.ts';
import { createLaneMeter, type LaneMeter } from '../../lib/replication/figures/lane-meter.ts';
import type { RunShift, ShiftPorts } from '../../lib/replication/shifts/shift.ts';
import { SHIFT_TIMES, type ShiftTimes } from '../../lib/replication/shifts/shift-times.ts';

/** What a shift is given beside its configuration. */
export interface ShiftTools {
  clock: Clock;
  logger: Logger & MetricsLog;
  /** For trials, which cannot wait for quarters of an hour. */
  times?: ShiftTimes;
}

/** Before any lane is opened. */
export function guardShift({ ALLOW_LOCAL_ADDRESSES }: PullShiftConfig): void {
  guardAddresses({ allowLocal: ALLOW_LOCAL_ADDRESSES });
}

/** What both kinds of shifts have on the stack's table. */
export function tablePorts(
  table: Table,
  config: PullShiftConfig,
  { clock, logger, times = SHIFT_TIMES }: ShiftTools,
): Omit<ShiftPorts, 'kind' | 'openLane'> {
  return {
    tasks: createDynamoTaskStore(table, clock),
    clusters: createDynamoClusterStore(table),
    stack: createDynamoStackStore(table),
    leases: createDynamoLaneLeases(table, clock),
    roster: createDynamoShiftRoster(table),
    slots: createDynamoShiftSlots(table, clock),
    times,
    capacity: config.SHIFT_CAPACITY,
    codeVersion: config.CODE_VERSION,
    idleEndMs: config.SHIFT_IDLE_SECONDS * 1_000,
    clock,
    logger,
  };
}

/** How often a shift writes what its lanes have counted: six lines a minute, well within the minute of a metric. */
const REPORT_MS = 10_000;

/** Gathers what the lanes of a shift count, and has it written while the shift runs, for the last time at its end. */
export function metered(
  { SERVICE, STAGE }: PullShiftConfig,
  { clock, logger }: ShiftTools,
  direction: TaskDirection,
): { meter: LaneMeter; during(runShift: RunShift): RunShift } {
  const ids = { service: SERVICE, stage: STAGE, direction };
  const meter = createLaneMeter(createMetricsReport({ ...ids, metrics: logger, clock }));
  return {
    meter,
    during: (runShift) => async (run) => {
      const timer = setInterval(() => meter.flush(), REPORT_MS);
      try {
        return await runShift(run);
      } finally {
        clearInterval(timer);
        meter.flush();
      }
    },
  };
}

/** All lanes of a shift together hold so much: less than half of the smallest function that is of use. */
const HELD_BYTES = 192 * 1024 * 1024;

/** Bytes of messages that one lane may hold: its share of the shift's; and one of few not all of that. */
export function heldBytesOfLane({ SHIFT_CAPACITY }: PullShiftConfig, maxBytes: number): number {
  return Math.min(maxBytes, Math.floor(HELD_BYTES / SHIFT_CAPACITY));
}

/** Where the adapters of AWS IoT look instead of AWS, on an emulator. */
export function emulatorOf({ AWS_ENDPOINT_URL }: PullShiftConfig): { emulatorUrl?: string } {
  return AWS_ENDPOINT_URL === undefined ? {} : { emulatorUrl: AWS_ENDPOINT_URL };
}
