import type { BridgeError } from '../../domain/errors/errors.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import { observePresence, type PresenceVerdict } from '../../domain/messages/device-presence.ts';
import { expiresAtMs } from '../../domain/messages/expiry.ts';
import type { PresenceOption } from '../../domain/tasks/presence-option.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { offlineMessage } from '../../mapping/presence.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { PresenceStates } from '../../ports/presence-states.ts';
import { asBridgeError } from '../outcome.ts';
import { inTime } from '../with-timeout.ts';
import type { BatchLedger } from './batch-ledger.ts';
import type { DeviceRecord } from './decide-record.ts';
import type { Unhelpable } from './hand-over.ts';
import type { Outgoing } from './send-topic.ts';

/** Code of a record that comes again when its device may be called offline. */
export const DEBOUNCED = 'PRESENCE_DEBOUNCED';
/** Code of a record whose device could not be looked up. */
const UNAVAILABLE = 'PRESENCE_UNAVAILABLE';

/** Devices that are looked up together. */
const CONCURRENT_DEVICES = 16;
/** With the waits in which others' changes are let through. */
const TABLE_MS = 5_000;
/** Of the function's time, what must be left for sending when a device is looked up. */
const RESERVE_MS = 15_000;

/** What goes to the target for what was said of devices. */
export interface OfflineMessages {
  outgoing: Outgoing[];
  unhelpables: Unhelpable[];
}

export interface ObserveOptions {
  task: Task;
  ledger: BatchLedger;
  presenceStates: PresenceStates;
  clock: Pick<Clock, 'now'>;
  logger: Logger;
  deadlineMs: number;
}

/**
 * Joins what a batch says of devices with what is known of them. A record that has to wait for the debounce stays in its
 * queue, hidden until then: it is its own second look, so nothing else that could be lost stands for it. Never rejects.
 */
export async function observeDevices(
  records: readonly DeviceRecord[],
  options: ObserveOptions,
): Promise<OfflineMessages> {
  const messages: OfflineMessages = { outgoing: [], unhelpables: [] };
  const { task, ledger, clock, logger, deadlineMs } = options;
  const { presence: option } = task.definition.options;
  if (option === undefined || records.length === 0) return messages;
  const look = lookWith(option, options);

  async function observe(one: DeviceRecord): Promise<void> {
    if (clock.now() > deadlineMs - RESERVE_MS) return;
    try {
      const verdict = await look(one);
      settle(one, verdict, messages, options);
    } catch (cause) {
      giveUp(one, asBridgeError(cause));
    }
  }

  /** What the table has taken of it is the same when the record comes again. */
  function giveUp({ record }: DeviceRecord, error: BridgeError): void {
    // A fault of ours must not make a dead letter: the record stays until it is repaired.
    if (error.reaction === 'dead-letter') messages.unhelpables.push({ record, error });
    else {
      ledger.note(record, UNAVAILABLE);
      logger.warn('device not looked up', { taskId: task.taskId, recordId: record.recordId, error });
    }
  }

  // One after the other what is of one device: they would only get in each other's way.
  const byDevice = [...Map.groupBy(records, ({ clientId }) => clientId).values()];
  await forEachInFlight(byDevice, CONCURRENT_DEVICES, async (ofDevice) => {
    for (const one of ofDevice) await observe(one);
  });
  return messages;
}

function lookWith(
  { debounceSeconds, cleanDisconnect }: PresenceOption,
  { task, presenceStates, clock }: ObserveOptions,
): (one: DeviceRecord) => Promise<PresenceVerdict> {
  return ({ record, clientId, signal }) => {
    const nowMs = clock.now();
    const observation = {
      signal,
      recordId: record.recordId,
      isRedriven: record.redriven !== undefined,
      nowMs,
      debounceMs: debounceSeconds * 1_000,
      reportsClean: cleanDisconnect === 'report',
    };
    const changing = presenceStates.change({ taskId: task.taskId, clientId }, nowMs, (known) => {
      const { presence, verdict } = observePresence(known, observation);
      return { presence, answer: verdict };
    });
    return inTime(changing, TABLE_MS);
  };
}

function settle(
  { record, clientId, ready }: DeviceRecord,
  verdict: PresenceVerdict,
  messages: OfflineMessages,
  { task, ledger, clock }: ObserveOptions,
): void {
  if (verdict.kind === 'wait') ledger.note(record, DEBOUNCED, verdict.waitMs, true);
  else if (verdict.kind === 'joined') ledger.skipped(record, 'deduplicated');
  else if (verdict.kind === 'passed') ledger.skipped(record, 'filtered');
  else {
    const { outage } = verdict;
    const offline = offlineMessage(clientId, verdict);
    const { maxAgeSeconds } = task.definition.options;
    if (expiresAtMs(offline, outage.sinceMs, maxAgeSeconds) <= clock.now()) ledger.skipped(record, 'expired');
    else messages.outgoing.push({ ...ready(offline), dueAtMs: outage.dueAtMs });
  }
}
