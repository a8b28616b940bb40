import type { BridgeError } from '../errors/errors.ts';
import type { StatusReason, Task } from './task.ts';
import { pathOf } from './task-path.ts';

/** Where canaries of a task go by on the MQTT side; on AWS IoT as a source only its rule sees them. */
export function canaryTopicName(taskId: string): string {
  return `mqferry/canary/${taskId}`;
}

/** A canary is sent so often. */
export const CANARY_EVERY_MS = 60_000;
/** One that has not come through by then has failed: two may get lost. */
export const CANARY_PATIENCE_MS = 180_000;

/** What a canary met on its way. */
export interface CanaryFailure {
  code: string;
  message: string;
  hint?: string;
}

/** What a canary met, from an error. */
export function canaryFailureOf({ code, message, hint }: BridgeError): CanaryFailure {
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/** What is known of the canaries of a task of the rule path, which is sent by one function and met by another. */
export interface CanaryRecord {
  /** Tells a canary from what others publish under its topic name. */
  token: string;
  /** Epoch ms of the first canary without a long gap behind it: a paused task has none. */
  sinceMs: number;
  /** Epoch ms of the last one. */
  sentAtMs: number;
  /** When that one was sent that came last. */
  cameSentAtMs?: number;
  /** What became of that one, where it did not come through. */
  failure?: CanaryFailure;
}

/** A task whose canaries are sent by others than its lanes, and that is to have one now. */
export function hasRuleCanary({ desired, status, definition, resources }: Task): boolean {
  return (
    definition.options.canary !== undefined &&
    pathOf(definition) === 'rule' &&
    desired === 'running' &&
    (status === 'running' || status === 'degraded') &&
    resources.hold === undefined
  );
}

/**
 * Whether canaries come through. `unknown`: too few were sent yet, or the last one that came was sent before the present run.
 */
export function judgeCanaries(record: CanaryRecord, nowMs: number): 'through' | 'unknown' | CanaryFailure {
  const { sinceMs, cameSentAtMs = Number.NEGATIVE_INFINITY, failure } = record;
  const cameMs = Math.max(sinceMs, cameSentAtMs);
  if (nowMs - cameMs > CANARY_PATIENCE_MS) return notCome(cameMs);
  if (cameSentAtMs < sinceMs) return 'unknown';
  return failure ?? 'through';
}

/** The reason of a task whose canary fails. */
export function canaryReason({ code, message, hint }: CanaryFailure, at: string): StatusReason {
  return {
    code: 'CANARY_FAILED',
    message: `the canary does not come through (${code}): ${message}`,
    hint: hint ?? 'Look at the reason in brackets: what a canary cannot do, messages cannot either.',
    at,
    about: 'canary',
  };
}

function notCome(sinceMs: number): CanaryFailure {
  return {
    code: 'CANARY_MISSING',
    message: `none of those that were sent since ${new Date(sinceMs).toISOString()} has come`,
    hint: 'A backlog delays canaries as it delays messages. Otherwise look at the rule of the task in AWS IoT, its queue and the log of its function.',
  };
}
