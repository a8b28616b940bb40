import { decodeTime } from 'ulid';
import type { QueueSpecs, ResourceSpecs, SpecSettings } from '../../domain/tasks/resource-specs.ts';
import type { OverflowRecord, Task, TaskResources } from '../../domain/tasks/task.ts';
import type { NewTaskEvent } from '../../domain/tasks/task-events.ts';
import { pathOf } from '../../domain/tasks/task-path.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ConvergeState } from '../../ports/converge-state.ts';
import type { EventSourceMappings, Mapping } from '../../ports/event-source-mappings.ts';
import type { LaneLeases, LaneRecord } from '../../ports/lane-leases.ts';
import type { OverflowGroups } from '../../ports/overflow-groups.ts';
import type { ShiftRoster, ShiftSlots, ShiftStarter } from '../../ports/shifts.ts';
import type { TargetAnswer, TargetProbe } from '../../ports/target-probe.ts';
import type { QueueBacklog, QueueCounter, TaskQueues } from '../../ports/task-queues.ts';
import type { Progress } from '../../ports/task-store.ts';
import type { TopicRulesByRegion } from '../../ports/topic-rules.ts';
import { holdEndedEvent, holdingEvent, holdingReason } from './converge-hold.ts';
import type { Step } from './converge-plan.ts';
import { overflowLastsEvent } from './converge-reasons.ts';

/** What converge works on in the cloud. */
export interface Cloud {
  queues: TaskQueues & QueueCounter;
  mappings: EventSourceMappings;
  rules: TopicRulesByRegion;
}

/** How converge and shifts know of one another. */
export interface Shifts {
  roster: ShiftRoster;
  slots: Pick<ShiftSlots, 'list'>;
  starter: ShiftStarter;
  lanes: Pick<LaneLeases, 'list' | 'forget'>;
}

export interface StepContext {
  cloud: Cloud;
  shifts: Shifts;
  overflowGroups: Pick<OverflowGroups, 'list' | 'abandon'>;
  targetProbe: TargetProbe;
  settings: SpecSettings;
  memory: Pick<ConvergeState, 'addRegion'>;
  clock: Pick<Clock, 'now'>;
  /** How long a rule may take until its change is in effect everywhere. */
  settlingMs: number;
}

/** What a step did: to be recorded, and what was seen meanwhile. */
export interface StepOutcome {
  progress?: Progress;
  /** A member that is undefined here is to be looked at again. */
  seen?: {
    mapping?: Mapping | undefined;
    backlog?: QueueBacklog | undefined;
    lanes?: LaneRecord[] | undefined;
    units?: 'held' | 'refused';
    areGroupsAbandoned?: true;
    queueLookedUp?: true;
    target?: TargetAnswer;
  };
  /** Nothing to record yet: to be tried again after so long. */
  waitMs?: number;
  event?: Omit<NewTaskEvent, 'at'>;
}

type OwnStep = Extract<
  Step,
  {
    kind:
      | 'ensure-queue'
      | 'announce-mapping'
      | 'create-mapping'
      | 'look-at-mapping'
      | 'update-mapping'
      | 'look-at-backlog'
      | 'settle-rules'
      | 'record-status'
      | 'record-version'
      | 'end-hindrance'
      | 'ask-target'
      | 'begin-hold'
      | 'end-hold'
      | 'begin-overflow'
      | 'note-overflow'
      | 'tell-overflow-lasts'
      | 'abandon-groups';
  }
>;

/** Performs one step of a task that is wanted running or paused. Every step may be repeated after a crash. */
export async function performOwnStep(
  step: OwnStep,
  task: Task,
  specs: ResourceSpecs,
  { cloud, clock, settlingMs, overflowGroups, targetProbe }: StepContext,
): Promise<StepOutcome> {
  const { taskId, resources, version } = task;
  switch (step.kind) {
    case 'ensure-queue': {
      const { specHash, ...spec } = queueSpecsOf(specs).queue;
      const queue = { ...(await cloud.queues.ensure(spec)), specHash };
      return record({ ...without(resources, 'inflowEndedAtMs'), queue });
    }
    case 'announce-mapping':
      return record({ ...resources, mappingRequestedAtMs: clock.now() });
    case 'create-mapping':
      return createMapping(task, queueSpecsOf(specs), cloud);
    case 'look-at-mapping':
      return lookAtMapping(resources, cloud);
    case 'update-mapping':
      return updateMapping(resources, queueSpecsOf(specs), step.enabled, cloud);
    case 'look-at-backlog':
      return lookAtBacklog(resources, cloud);
    case 'settle-rules':
      return record({ ...resources, rulesSettledAtMs: clock.now() + settlingMs, rulesVersion: version });
    case 'record-status':
      return recordStatus(task, step, clock.now());
    case 'record-version':
      return { progress: { observedVersion: version } };
    case 'end-hindrance':
      return { progress: { status: 'running', reason: null } };
    case 'ask-target':
      return { seen: { target: await targetProbe.ask(taskId) } };
    case 'begin-hold':
      return beginHold(task, clock.now());
    case 'end-hold':
      return {
        ...record(without(resources, 'hold')),
        event: holdEndedEvent(resources.hold?.sinceMs ?? clock.now()),
      };
    case 'begin-overflow':
      return record({ ...resources, overflow: { sinceMs: clock.now() } });
    case 'note-overflow':
      return record({ ...resources, overflow: noteOverflow(resources, step.isEmpty, clock.now()) });
    case 'tell-overflow-lasts':
      return {
        ...record({ ...resources, overflow: { ...resources.overflow, isLastingTold: true } }),
        event: overflowLastsEvent(step.sinceMs),
      };
    case 'abandon-groups':
      for (const { groupKey, lastPutId } of await overflowGroups.list(taskId)) {
        if (decodeTime(lastPutId) >= step.putBeforeMs) continue;
        await overflowGroups.abandon(taskId, groupKey, lastPutId);
      }
      return { seen: { areGroupsAbandoned: true } };
  }
}

export async function lookAtMapping(resources: TaskResources, cloud: Cloud): Promise<StepOutcome> {
  if (resources.mapping === undefined) return {};
  const mapping = await cloud.mappings.get(resources.mapping.uuid);
  return mapping === undefined ? forgetMapping(resources) : { seen: { mapping } };
}

export async function lookAtBacklog(resources: TaskResources, cloud: Cloud): Promise<StepOutcome> {
  const backlog = resources.queue && (await cloud.queues.backlog(resources.queue.url));
  return backlog === undefined ? record(without(resources, 'queue')) : { seen: { backlog } };
}

/** Its deletion took time: the backlog is counted again before anything is concluded from it. */
export function forgetMapping(resources: TaskResources): StepOutcome {
  return { ...record(without(resources, 'mapping')), seen: { mapping: undefined, backlog: undefined } };
}

export function record(resources: TaskResources): { progress: Progress } {
  return { progress: { resources } };
}

/** The resources without one of them; exact, since an absent member and an undefined one are not the same. */
export function without<K extends Exclude<keyof TaskResources, 'rules'>>(
  resources: TaskResources,
  member: K,
): TaskResources {
  const { [member]: _, ...rest } = resources;
  return { ...rest, rules: resources.rules };
}

function noteOverflow({ overflow }: TaskResources, isEmpty: boolean, nowMs: number): OverflowRecord {
  const { emptyAtMs: _, ...lasting } = overflow ?? {};
  return isEmpty ? { ...lasting, emptyAtMs: nowMs } : lasting;
}

function queueSpecsOf(specs: ResourceSpecs): QueueSpecs {
  if (specs.path !== 'pull') return specs;
  // The plan makes no queue for a task that is pulled.
  throw new TypeError('a task of the pull path has no queue');
}

async function createMapping(task: Task, specs: QueueSpecs, cloud: Cloud): Promise<StepOutcome> {
  const { queue } = task.resources;
  if (queue === undefined) return {};
  const { specHash, ...spec } = specs.mapping;
  const mapping = await cloud.mappings.create({ ...spec, queueArn: queue.arn, enabled: false });
  // One that existed already may be of another form: an empty hash has it updated.
  const asSpecified =
    mapping.batchSize === spec.batchSize &&
    mapping.maximumBatchingWindowSeconds === (spec.maximumBatchingWindowSeconds ?? 0) &&
    mapping.maximumConcurrency === spec.maximumConcurrency &&
    mapping.reportsBatchItemFailures &&
    !mapping.isFiltered;
  const made = { uuid: mapping.uuid, specHash: asSpecified ? specHash : '', enabled: false };
  return {
    ...record({ ...without(task.resources, 'mappingRequestedAtMs'), mapping: made }),
    seen: { mapping },
  };
}

async function updateMapping(
  resources: TaskResources,
  specs: QueueSpecs,
  enabled: boolean,
  cloud: Cloud,
): Promise<StepOutcome> {
  if (resources.mapping === undefined) return {};
  const { specHash, tags: _, ...spec } = specs.mapping;
  const { uuid } = resources.mapping;
  const mapping = await cloud.mappings.update(uuid, { ...spec, enabled });
  if (mapping === undefined) return forgetMapping(resources);
  return { ...record({ ...resources, mapping: { uuid, specHash, enabled } }), seen: { mapping } };
}

/** Of a session the lanes say how it is, and go on saying so. */
function beginHold({ definition, reason, resources }: Task, nowMs: number): StepOutcome {
  const cause = reason ?? {
    code: 'TARGET_UNAVAILABLE',
    message: 'no answer',
    at: new Date(nowMs).toISOString(),
  };
  const holding = holdingReason(cause.at, cause);
  const held = record({ ...resources, hold: { sinceMs: nowMs } });
  const says = pathOf(definition) === 'session' ? {} : ({ status: 'degraded', reason: holding } as const);
  return { progress: { ...held.progress, ...says }, event: holdingEvent(holding) };
}

function recordStatus(
  task: Task,
  { status, reason }: Extract<Step, { kind: 'record-status' }>,
  nowMs: number,
): StepOutcome {
  // What an earlier try said is over.
  if (status === 'starting') return { progress: { status, reason: null } };
  const observedVersion = task.version;
  // Running and degraded are told apart by the data plane: what it said meanwhile must stand.
  if (status === 'running' && (task.status === 'running' || task.status === 'degraded')) {
    return { progress: { observedVersion } };
  }
  const progress: Progress = {
    status,
    reason: reason === undefined ? null : { ...reason, at: new Date(nowMs).toISOString() },
    observedVersion,
  };
  return task.status === status ? { progress } : { progress, event: STATUS_EVENTS[status] };
}

const STATUS_EVENTS = {
  running: { code: 'TASK_RUNNING', message: 'mapping and topic rules are enabled' },
  paused: { code: 'TASK_PAUSED', message: 'nothing is in hand, and nothing is carried any more' },
} as const;
