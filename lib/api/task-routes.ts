import { z } from 'zod';
import { TaskPatch } from '../domain/tasks/task-patch.ts';
import type { Routes } from './route.ts';
import { NoQuery, PageQuery, pageOf } from './schemas.ts';
import {
  CreateTask,
  Direction,
  EventAnswer,
  RevisionAnswer,
  Status,
  TaskAnswer,
  TaskId,
} from './task-schemas.ts';

export const TaskParams = z.strictObject({ taskId: TaskId });
const NoBody = z.strictObject({}).optional();

export const TASK_ROUTES = {
  'POST /tasks': {
    operationId: 'createTask',
    summary: 'Create a task',
    description:
      'Answers at once; queue, mapping and topic rules are made meanwhile (`status`: `creating`). With an `Idempotency-Key` a repeated request answers the task of the first one, for 24 hours.',
    params: z.strictObject({}),
    query: NoQuery,
    body: CreateTask,
    idempotencyKey: true,
    answers: {
      200: { description: 'Created before, by a request with this key', schema: TaskAnswer, etag: true },
      201: { description: 'Created', schema: TaskAnswer, etag: true },
    },
    problems: [404, 409],
  },
  'GET /tasks': {
    operationId: 'listTasks',
    summary: 'List tasks, newest first',
    params: z.strictObject({}),
    query: PageQuery.extend({
      status: Status.optional(),
      direction: Direction.optional(),
      clusterId: z.string().max(128).optional().meta({ description: 'Source or target' }),
      q: z.string().max(200).optional().meta({ description: 'Part of the name or description' }),
    }),
    answers: { 200: { description: 'A page of tasks', schema: pageOf(TaskAnswer) } },
    problems: [],
  },
  'GET /tasks/{taskId}': {
    operationId: 'getTask',
    summary: 'Read a task',
    params: TaskParams,
    query: NoQuery,
    answers: { 200: { description: 'The task', schema: TaskAnswer, etag: true } },
    problems: [404],
  },
  'PATCH /tasks/{taskId}': {
    operationId: 'editTask',
    summary: 'Edit a task that is not running',
    description:
      'A JSON merge patch (RFC 7396): members of source, target and options that are not named stay, null removes one, lists are replaced. What waits in the task’s queue goes through the new mapping.',
    params: TaskParams,
    query: NoQuery,
    body: TaskPatch,
    ifMatch: 'required',
    answers: { 200: { description: 'Edited', schema: TaskAnswer, etag: true } },
    problems: [404, 409, 412, 428],
  },
  'DELETE /tasks/{taskId}': {
    operationId: 'deleteTask',
    summary: 'Delete a paused or failed task and all that was made for it',
    params: TaskParams,
    query: z.strictObject({
      backlog: z.literal('discard').optional().meta({
        description: 'Throw away what waits in the task’s queue; without it the queue must be empty',
      }),
    }),
    ifMatch: 'optional',
    answers: { 202: { description: 'Being deleted', schema: TaskAnswer, etag: true } },
    problems: [404, 409, 412],
  },
  'POST /tasks/{taskId}/start': {
    operationId: 'startTask',
    summary: 'Start a task',
    description: 'Idempotent. On AWS it takes seconds to about a minute until the task runs.',
    params: TaskParams,
    query: NoQuery,
    body: NoBody,
    answers: {
      200: { description: 'Runs already', schema: TaskAnswer, etag: true },
      202: { description: 'Being started', schema: TaskAnswer, etag: true },
    },
    problems: [404, 409],
  },
  'POST /tasks/{taskId}/pause': {
    operationId: 'pauseTask',
    summary: 'Pause a task',
    description:
      'Idempotent. What is published during the pause waits or is skipped, as `options.whilePaused` says.',
    params: TaskParams,
    query: NoQuery,
    body: NoBody,
    answers: {
      200: { description: 'Is paused already', schema: TaskAnswer, etag: true },
      202: { description: 'Being paused', schema: TaskAnswer, etag: true },
    },
    problems: [404, 409],
  },
  'GET /tasks/{taskId}/events': {
    operationId: 'listTaskEvents',
    summary: 'List what happened to a task, newest first',
    params: TaskParams,
    query: PageQuery,
    answers: { 200: { description: 'A page of events', schema: pageOf(EventAnswer) } },
    problems: [404],
  },
  'GET /tasks/{taskId}/revisions': {
    operationId: 'listTaskRevisions',
    summary: 'List the revisions of a task’s definition, newest first',
    params: TaskParams,
    query: PageQuery,
    answers: { 200: { description: 'A page of revisions', schema: pageOf(RevisionAnswer) } },
    problems: [404],
  },
} as const satisfies Routes;
