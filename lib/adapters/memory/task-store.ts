import { monotonicFactory } from 'ulid';
import { leaseLost } from '../../domain/errors/control-plane-error.ts';
import { RequestError } from '../../domain/errors/errors.ts';
import { idempotencyKeyReused, taskNameTaken, taskNotFound } from '../../domain/errors/request-errors.ts';
import { EVENT_RETENTION_SECONDS, IDEMPOTENCY_SECONDS } from '../../domain/retention.ts';
import type { Task, TaskStatus } from '../../domain/tasks/task.ts';
import { editedTask, newTask, revisionKey } from '../../domain/tasks/task-changes.ts';
import { createdEvent, desiredEvent, editedEvent } from '../../domain/tasks/task-events.ts';
import { matchesTaskFilter } from '../../domain/tasks/task-filter.ts';
import {
  checkEditable,
  planDesired,
  reservedUnits,
  STATUSES_WHILE,
} from '../../domain/tasks/task-lifecycle.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdempotencyKey, NewTaskEvent, TaskLease, TaskStore } from '../../ports/task-store.ts';
import { byKey, pageOf } from './page.ts';
import type { MemoryState, TaskRecord } from './state.ts';
import { reserveUnits, usedRecords, usesOf } from './uses.ts';

/** In which a lane may say how it is. */
const LANE_STATUSES: readonly TaskStatus[] = ['starting', 'running', 'degraded'];

/** The table of tasks in memory: for tests, with the same promises as the real one. */
export function createMemoryTaskStore(state: MemoryState, clock: Pick<Clock, 'now'>): TaskStore {
  const nextUlid = monotonicFactory();

  const recordOf = (taskId: string): TaskRecord => {
    const record = state.tasks.get(taskId);
    if (record === undefined) throw taskNotFound(taskId);
    return record;
  };

  const append = (taskId: string, event: NewTaskEvent): void => {
    const events = state.events.get(taskId) ?? [];
    events.push({ eventId: nextUlid(Date.parse(event.at)), ...structuredClone(event) });
    state.events.set(taskId, events);
  };

  const addRevision = (
    { taskId, version, definition }: Task,
    at: string,
    actor: string | undefined,
  ): void => {
    const revisions = state.revisions.get(taskId) ?? [];
    revisions.push(structuredClone({ version, definition, at, ...(actor === undefined ? {} : { actor }) }));
    state.revisions.set(taskId, revisions);
  };

  const replayOf = ({ key, requestHash }: IdempotencyKey): Task | undefined => {
    const known = state.idempotency.get(key);
    if (known === undefined || known.expiresAtMs <= clock.now()) return undefined;
    const task = state.tasks.get(known.taskId)?.task;
    if (known.requestHash !== requestHash || task === undefined) throw idempotencyKeyReused();
    return structuredClone(task);
  };

  const leased = (lease: TaskLease): TaskRecord | undefined => {
    const record = state.tasks.get(lease.taskId);
    const ours = record?.lease?.owner === lease.owner && record.lease.epoch === lease.epoch;
    return ours ? record : undefined;
  };

  const leasedForDeletion = (lease: TaskLease): TaskRecord => {
    const record = leased(lease);
    if (record?.task.desired === 'deleted') return record;
    throw leaseLost(lease.taskId);
  };

  const grant = (record: TaskRecord, owner: string, durationMs: number): TaskLease => {
    const { taskId } = record.task;
    record.lease = { taskId, owner, epoch: record.epoch, expiresAtMs: clock.now() + durationMs };
    return { ...record.lease };
  };

  return {
    async create(input) {
      const replayed = input.idempotency && replayOf(input.idempotency);
      if (replayed !== undefined) return { task: replayed, replayed: true };
      const { taskName } = input.definition;
      if (state.taskIdsByName.has(taskName)) throw taskNameTaken(taskName);
      const uses = usesOf(input);
      const used = usedRecords(state, uses);
      const held = reservedUnits(input.definition, input.desired);
      reserveUnits(state, held, input.concurrencyLimit);
      for (const record of used) record.taskCount += 1;

      const task = structuredClone(newTask(input));
      state.taskIdsByName.set(taskName, task.taskId);
      state.tasks.set(task.taskId, { task, held, uses, epoch: 0 });
      if (input.idempotency !== undefined) {
        const expiresAtMs = clock.now() + IDEMPOTENCY_SECONDS * 1000;
        state.idempotency.set(input.idempotency.key, {
          ...input.idempotency,
          taskId: task.taskId,
          expiresAtMs,
        });
      }
      addRevision(task, input.at, input.actor);
      append(task.taskId, createdEvent(input.desired === 'running', input));
      return { task: structuredClone(task), replayed: false };
    },

    async findReplay(idempotency) {
      return replayOf(idempotency);
    },

    async get(taskId) {
      return structuredClone(state.tasks.get(taskId)?.task);
    },

    async list(filter, page) {
      const tasks = [...state.tasks.values()]
        .map(({ task }) => task)
        .filter((task) => matchesTaskFilter(task, filter))
        .sort(byKey(({ taskId }) => taskId))
        .reverse();
      return pageOf('tasks', tasks, ({ taskId }) => taskId, page, true);
    },

    async saveDefinition(edit) {
      const record = recordOf(edit.taskId);
      checkEditable(record.task, edit.expectedVersion);
      const before = record.task.definition.taskName;
      const { taskName } = edit.definition;
      if (taskName !== before && state.taskIdsByName.has(taskName)) throw taskNameTaken(taskName);
      const uses = usesOf(edit);
      const used = usedRecords(state, uses);
      for (const old of usedRecords(state, record.uses)) old.taskCount -= 1;
      for (const now of used) now.taskCount += 1;

      state.taskIdsByName.delete(before);
      state.taskIdsByName.set(taskName, edit.taskId);
      record.uses = uses;
      record.task = structuredClone(editedTask(record.task, edit));
      addRevision(record.task, edit.at, edit.actor);
      append(edit.taskId, editedEvent(record.task.version, edit));
      return structuredClone(record.task);
    },

    async setDesired(change) {
      const record = recordOf(change.taskId);
      const plan = planDesired(record.task, change, record.held);
      if (plan !== undefined) {
        reserveUnits(state, plan.reserve, change.concurrencyLimit);
        record.held += plan.reserve;
        const { reason: _, ...task } = record.task;
        record.task = { ...task, ...plan.changes };
        append(change.taskId, desiredEvent(change.desired, change));
      }
      return structuredClone(record.task);
    },

    async cancelDeletion(lease, reason) {
      const record = leasedForDeletion(lease);
      if (record.task.discardBacklog === true) throw leaseLost(lease.taskId);
      record.task = { ...record.task, desired: 'paused', status: 'paused', reason: { ...reason } };
      return structuredClone(record.task);
    },

    async acquireLease(taskId, owner, durationMs) {
      const record = state.tasks.get(taskId);
      if (record === undefined) return undefined;
      const held = record.lease !== undefined && record.lease.expiresAtMs > clock.now();
      if (held && record.lease?.owner !== owner) return undefined;
      record.epoch += 1;
      return grant(record, owner, durationMs);
    },

    async renewLease(lease, durationMs) {
      const record = leased(lease);
      return record && grant(record, lease.owner, durationMs);
    },

    async releaseLease(lease) {
      const record = leased(lease);
      if (record !== undefined) delete record.lease;
    },

    async saveProgress(lease, { status, reason, resources, observedVersion }) {
      const record = leased(lease);
      if (record === undefined) return undefined;
      const { task } = record;
      if (status === undefined || STATUSES_WHILE[task.desired].includes(status)) {
        if (status !== undefined) task.status = status;
        if (reason === null) delete task.reason;
        else if (reason !== undefined) task.reason = { ...reason };
      }
      if (resources !== undefined) task.resources = structuredClone(resources);
      if (observedVersion !== undefined) task.observedVersion = observedVersion;
      return structuredClone(task);
    },

    async holdUnits(lease, units, concurrencyLimit) {
      const record = leased(lease);
      if (record === undefined) throw leaseLost(lease.taskId);
      if (units > 0 && record.task.desired !== 'running') return false;
      try {
        reserveUnits(state, units - record.held, concurrencyLimit);
      } catch (error) {
        if (error instanceof RequestError) return false;
        throw error;
      }
      record.held = units;
      return true;
    },

    async reportHealth(taskId, health) {
      const task = state.tasks.get(taskId)?.task;
      if (task?.status !== 'running' && task?.status !== 'degraded') return false;
      const ofTarget = task.status === 'degraded' && task.reason?.about === 'target';
      if (health.status === 'running') {
        if (!ofTarget) return false;
        delete task.reason;
      } else {
        const isOther = ofTarget && task.reason?.code !== health.reason.code;
        if (task.status !== 'running' && !isOfCanary(task) && !isOther) return false;
        task.reason = { ...health.reason };
      }
      task.status = health.status;
      return true;
    },

    async reportLane(taskId, health) {
      const task = state.tasks.get(taskId)?.task;
      if (task?.desired !== 'running' || !LANE_STATUSES.includes(task.status)) return false;
      const ofAnEnd = task.status === 'degraded' && task.reason?.about !== undefined && !isOfCanary(task);
      if (health.status === 'running') {
        if (task.status !== 'starting' && !ofAnEnd) return false;
        delete task.reason;
      } else {
        const isNew = task.status === 'starting' || task.status === 'running';
        const isOther = isOfCanary(task) || (ofAnEnd && task.reason?.code !== health.reason.code);
        if (health.status === 'degraded' && !isNew && !isOther) return false;
        task.reason = { ...health.reason };
      }
      task.status = health.status;
      return true;
    },

    async reportCanary(taskId, health) {
      const task = state.tasks.get(taskId)?.task;
      if (task === undefined) return false;
      if (health.status === 'running') {
        if (!isOfCanary(task)) return false;
        delete task.reason;
      } else {
        const isOther = isOfCanary(task) && task.reason?.message !== health.reason.message;
        if (task.desired !== 'running' || (task.status !== 'running' && !isOther)) return false;
        task.reason = { ...health.reason };
      }
      task.status = health.status;
      return true;
    },

    async reportOverflow(taskId, isOverflowing) {
      const task = state.tasks.get(taskId)?.task;
      if (task === undefined) return;
      if (isOverflowing) task.overflowing = true;
      else delete task.overflowing;
    },

    async remove(lease) {
      if (!state.tasks.has(lease.taskId)) return;
      const { task, uses } = leasedForDeletion(lease);
      for (const record of usedRecords(state, uses)) record.taskCount -= 1;
      state.taskIdsByName.delete(task.definition.taskName);
      state.tasks.delete(task.taskId);
    },

    async appendEvent(taskId, event) {
      append(taskId, event);
    },

    async listEvents(taskId, page) {
      const keptFromMs = clock.now() - EVENT_RETENTION_SECONDS * 1000;
      const events = (state.events.get(taskId) ?? [])
        .filter(({ at }) => Date.parse(at) > keptFromMs)
        .sort(byKey(({ eventId }) => eventId))
        .reverse();
      return pageOf(`events/${taskId}`, events, ({ eventId }) => eventId, page, true);
    },

    async listRevisions(taskId, page) {
      const revisions = [...(state.revisions.get(taskId) ?? [])].reverse();
      return pageOf(`revisions/${taskId}`, revisions, ({ version }) => revisionKey(version), page, true);
    },

    async getRevision(taskId, version) {
      return structuredClone(state.revisions.get(taskId)?.find((revision) => revision.version === version));
    },
  };
}

function isOfCanary({ status, reason }: Task): boolean {
  return status === 'degraded' && reason?.about === 'canary';
}
