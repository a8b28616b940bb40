import type { DesiredState } from './task.ts';

/** Something that happened to a task, kept 90 days. */
export interface TaskEvent {
  /** A ULID: sorts by time. */
  eventId: string;
  /** ISO 8601, UTC. */
  at: string;
  /** Stable, upper snake case. */
  code: string;
  message: string;
  /** Who asked for it, as far as the API knows: an ARN or a token's subject. */
  actor?: string;
  details?: Record<string, unknown>;
}
export type NewTaskEvent = Omit<TaskEvent, 'eventId'>;

interface EventContext {
  at: string;
  actor?: string | undefined;
  details?: Record<string, unknown> | undefined;
}

const DESIRED_EVENTS: Readonly<Record<DesiredState, Pick<TaskEvent, 'code' | 'message'>>> = {
  running: { code: 'START_REQUESTED', message: 'a start was asked for' },
  paused: { code: 'PAUSE_REQUESTED', message: 'a pause was asked for' },
  deleted: { code: 'DELETION_REQUESTED', message: 'the deletion was asked for' },
};

/** The event of a creation. */
export function createdEvent(startNow: boolean, context: EventContext): NewTaskEvent {
  const message = startNow ? 'the task was created, to be started at once' : 'the task was created';
  return event('TASK_CREATED', message, context);
}

/** The event of an edit. @param version - the revision it made */
export function editedEvent(version: number, context: EventContext): NewTaskEvent {
  return event('TASK_EDITED', `the definition was changed: revision ${version}`, context);
}

/** The event of a change of what is wanted. */
export function desiredEvent(desired: DesiredState, context: EventContext): NewTaskEvent {
  const { code, message } = DESIRED_EVENTS[desired];
  return event(code, message, context);
}

function event(code: string, message: string, { at, actor, details }: EventContext): NewTaskEvent {
  return {
    at,
    code,
    message,
    ...(actor === undefined ? {} : { actor }),
    ...(details === undefined ? {} : { details }),
  };
}
