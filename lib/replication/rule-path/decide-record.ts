import { BridgeError, UnmappableMessageError } from '../../domain/errors/errors.ts';
import { expiresAtMs } from '../../domain/messages/expiry.ts';
import { loopReason } from '../../domain/messages/loop-guard.ts';
import type { MqttMessage, Provenance } from '../../domain/messages/message.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { decodeEnvelope, type Envelope, isRuleEnvelope, messageOfEnvelope } from '../../mapping/envelope.ts';
import type { DeviceSignal } from '../../mapping/presence.ts';
import type { RuleEnvelope } from '../../mapping/rule-envelope.ts';
import type { CompiledTask } from '../compiled-tasks.ts';
import type { Skipped } from '../figures/batch-counts.ts';
import { asBridgeError } from '../outcome.ts';
import type { Outgoing } from './send-topic.ts';
import type { SourceRecord } from './source-record.ts';

/** AWS IoT's hosts take rules over one after the other, and their clocks are not ours. */
const SETTLING_MARGIN_MS = 60_000;

/** What is to be done with a record, as far as its message and the task alone can tell. */
export type Decision =
  | { kind: 'send'; outgoing: Outgoing }
  | { kind: 'device'; told: DeviceRecord }
  | { kind: 'skip'; reason: Skipped }
  | { kind: 'dead-letter'; error: BridgeError }
  | { kind: 'give-back'; error: BridgeError };

/** A record that says something of a device, which is to be joined with what others say of it. */
export interface DeviceRecord extends DeviceSignal {
  record: SourceRecord;
  /** Makes the message that the device is offline ready to go in the record's place; throws what a mapping throws. */
  ready(offline: MqttMessage): Outgoing;
}

/** The text that a record holds, or stands for; an error where that could not be had. */
export type RecordText = string | BridgeError;

/**
 * Decides records with the task as it is now, whatever it was when they were written: buffered messages go
 * through the mapping of the moment, and what no filter matches any more is left out. A session has left out overlap
 * copies before it wrote. Never throws.
 */
export function decideRecord(
  record: SourceRecord,
  task: Task,
  compiled: CompiledTask,
  receiptTimeMs: number,
  text: RecordText = record.body,
): Decision {
  try {
    if (typeof text !== 'string') throw text;
    const envelope = decodeEnvelope(text);
    if (envelope.taskId !== task.taskId) throw ofAnotherTask();
    const selected = compiled.selectRule(envelope.topicName);
    if (selected === undefined) return { kind: 'skip', reason: 'filtered' };
    if (isRuleEnvelope(envelope) && isOverlap(envelope, selected, task)) {
      return { kind: 'skip', reason: 'overlap' };
    }
    return decideMessage(record, envelope, task, compiled, receiptTimeMs);
  } catch (error) {
    if (error instanceof BridgeError && error.reaction === 'dead-letter')
      return { kind: 'dead-letter', error };
    // A fault of ours must not make dead letters: the record stays until it is repaired.
    return { kind: 'give-back', error: asBridgeError(error) };
  }
}

function decideMessage(
  record: SourceRecord,
  envelope: Envelope,
  task: Task,
  compiled: CompiledTask,
  receiptTimeMs: number,
): Decision {
  const receipt = { recordId: record.recordId, receiptTimeMs, sendTimeMs: receiptTimeMs };
  const { message: source, provenance } = messageOfEnvelope(envelope, receipt);
  if (record.redriven !== undefined) provenance.redriven = record.redriven;
  // Whoever had it before may have sent it, and not have come to say so.
  if (record.receiveCount > 1) provenance.isResent = true;
  if (loopReason(provenance.path, task.taskId, compiled.maxHops) !== undefined) {
    return { kind: 'skip', reason: 'loopSkipped' };
  }
  const { maxAgeSeconds } = task.definition.options;
  const sinceMs = provenance.sourceTimeMs ?? provenance.receiptTimeMs;
  const signal = compiled.presence?.(source, sinceMs);
  if (signal !== undefined) {
    const ready = (offline: MqttMessage) => outgoingOf(record, offline, provenance, compiled, receiptTimeMs);
    return { kind: 'device', told: { ...signal, record, ready } };
  }
  if (expiresAtMs(source, sinceMs, maxAgeSeconds) <= receiptTimeMs)
    return { kind: 'skip', reason: 'expired' };
  const outgoing = outgoingOf(record, source, provenance, compiled, receiptTimeMs);
  // A redriven one has waited for a person.
  if (record.redriven === undefined) {
    outgoing.sourceTimeMs = provenance.sourceTimeMs ?? Math.min(provenance.receiptTimeMs, record.sentTimeMs);
  }
  return { kind: 'send', outgoing };
}

/** Says nothing of when the message was at its source: one that has waited on purpose tells nothing of how long it took. */
function outgoingOf(
  record: SourceRecord,
  source: MqttMessage,
  provenance: Provenance,
  { mapper }: CompiledTask,
  receiptTimeMs: number,
): Outgoing {
  return {
    record,
    message: mapper(source, provenance),
    mappedAtMs: receiptTimeMs,
    remap: (sendTimeMs, isResent = provenance.isResent === true) =>
      mapper(source, { ...provenance, sendTimeMs, isResent }),
    bytes: source.payload.length,
    mqferryId: provenance.messageId,
    topicName: source.topicName,
  };
}

/**
 * Whether a lower-numbered rule of the task surely carries a copy of the same message. Only then may this copy be
 * left out, so all of this must hold:
 * - a lower-numbered filter, of those that have a rule, matches the topic name now;
 * - the copy's rule was made for the present definition, so that rule numbers mean the same;
 * - the rules in the cloud are of this definition, and all of them were enabled well before the rules engine handled
 *   the message: while rules come up one after the other the lower one may not have been there to carry its copy.
 *
 * In all other cases the message is delivered twice rather than never.
 */
function isOverlap(envelope: RuleEnvelope, selectedRule: number, { version, resources }: Task): boolean {
  const { rulesVersion, rulesSettledAtMs } = resources;
  return (
    selectedRule < envelope.ruleNumber &&
    envelope.version === version &&
    rulesVersion === version &&
    rulesSettledAtMs !== undefined &&
    envelope.ruleTimeMs !== undefined &&
    envelope.ruleTimeMs >= rulesSettledAtMs + SETTLING_MARGIN_MS
  );
}

function ofAnotherTask(): UnmappableMessageError {
  return new UnmappableMessageError('the envelope names another task than the one whose queue it came from', {
    code: 'ENVELOPE_OF_ANOTHER_TASK',
  });
}
