import { BridgeError, BrokerHoldError } from '../domain/errors/errors.ts';

/** The task of a queue is gone, or not there yet. */
export function taskMissing(): BridgeError {
  return new BridgeError('the task of this queue does not exist', {
    code: 'TASK_NOT_FOUND',
    reaction: 'retry',
    scope: 'message',
  });
}

/** What is needed to begin could not be read now. */
export function unreadable(cause: unknown): BridgeError {
  return new BridgeError('reading task and cluster: the table did not answer', {
    code: 'TABLE_UNAVAILABLE',
    reaction: 'retry',
    scope: 'message',
    cause,
  });
}

/** There is nowhere to send to. */
export function noRocketmq(): BridgeError {
  return new BrokerHoldError('the target cluster is not registered, or is no RocketMQ', {
    code: 'CLUSTER_NOT_FOUND',
    scope: 'cluster',
    hint: 'Register the cluster again, or give the task another target.',
  });
}

/** The task carries something else by now. */
export function otherDirection(): BridgeError {
  return new BrokerHoldError('the queue holds MQTT messages, and the task does not carry those', {
    code: 'DIRECTION_CHANGED',
    scope: 'cluster',
    hint: 'Give the task its MQTT source back until the backlog is gone.',
  });
}

/** A definition that was checked when it was saved cannot be used. */
export function notCompiled(cause: unknown): BridgeError {
  return new BrokerHoldError('the definition of the task cannot be used', {
    code: 'DEFINITION_INVALID',
    scope: 'cluster',
    hint: 'Edit the task: templates and filters are checked when it is saved.',
    cause,
  });
}

/** A paused session has nowhere to put its messages. */
export function noQueue(): BridgeError {
  return new BridgeError("the task's own queue is not there yet", {
    code: 'QUEUE_NOT_READY',
    reaction: 'retry',
    scope: 'cluster',
  });
}
