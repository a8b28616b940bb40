import { z } from 'zod';
import { MAX_REDRIVE_PER_SECOND, MAX_SELECTED_IDS } from '../domain/dead-letters/dead-letter-job.ts';
import {
  DeadLetterAnswer,
  DeadLetterHeadAnswer,
  DeadLetterJobAnswer,
  DeadLetterSummaryAnswer,
} from './dead-letter-schemas.ts';
import type { Routes } from './route.ts';
import { NoQuery, PageQuery, pageOf, Timestamp } from './schemas.ts';
import { TaskParams } from './task-routes.ts';

const Ulid = z.ulid();
const Reason = z
  .string()
  .regex(/^[A-Z0-9_]{1,64}$/, 'must be the code of a reason: capital letters, digits and underscores')
  .meta({ description: 'Stable code of the reason', example: 'TEMPLATE_VALUE_MISSING' });

const ByIds = z.strictObject({ ids: z.array(Ulid).min(1).max(MAX_SELECTED_IDS) });
const ByReason = z.strictObject({ reason: Reason });
const All = z.strictObject({ all: z.literal(true) });

const rate = {
  maxMessagesPerSecond: z.int().min(1).max(MAX_REDRIVE_PER_SECOND).optional().meta({
    description: 'Beside what the task carries anyway; 100 without it',
  }),
};

/** Body of `POST /tasks/{taskId}/dead-letters/redrive`: exactly one of the three selections. */
export const RedriveDeadLetters = z.union([ByIds.extend(rate), ByReason.extend(rate), All.extend(rate)]);

/** Body of `POST /tasks/{taskId}/dead-letters/discard`: exactly one of the three selections. */
export const DiscardDeadLetters = z.union([ByIds, ByReason, All]);

const LetterParams = TaskParams.extend({ deadLetterId: Ulid });
const JobParams = TaskParams.extend({ jobId: Ulid });
const jobAnswers = {
  202: { description: 'Asked for; the job tells how far it is', schema: DeadLetterJobAnswer },
} as const;

export const DEAD_LETTER_ROUTES = {
  'GET /tasks/{taskId}/dead-letters': {
    operationId: 'listDeadLetters',
    summary: 'List the dead letters of a task, newest first, without their messages',
    description:
      'Also of a task that is gone. `UNKNOWN` as task has what could not be told apart. By reason the list may lag behind by a moment.',
    params: TaskParams,
    query: PageQuery.extend({
      reason: Reason.optional(),
      from: Timestamp.optional().meta({ description: 'First seen at this time or later' }),
      to: Timestamp.optional().meta({ description: 'First seen before this time' }),
    }),
    answers: { 200: { description: 'A page of dead letters', schema: pageOf(DeadLetterHeadAnswer) } },
    problems: [404],
  },
  'GET /tasks/{taskId}/dead-letters/{deadLetterId}': {
    operationId: 'getDeadLetter',
    summary: 'Read a dead letter, with its message',
    params: LetterParams,
    query: NoQuery,
    answers: { 200: { description: 'The dead letter', schema: DeadLetterAnswer } },
    problems: [404],
  },
  'GET /tasks/{taskId}/dead-letter-summary': {
    operationId: 'summarizeDeadLetters',
    summary: 'How many dead letters a task has, by reason, and how old they are',
    params: TaskParams,
    query: NoQuery,
    answers: { 200: { description: 'Depth and age', schema: DeadLetterSummaryAnswer } },
    problems: [404],
  },
  'POST /tasks/{taskId}/dead-letters/redrive': {
    operationId: 'redriveDeadLetters',
    summary: 'Send dead letters again, through the task’s mapping as it is now',
    description:
      'Of those that are there now, in the order in which they were first seen. Each goes when the target has taken its message, which carries `mqferry_redriven`; one that fails again stays with the new reason. The task has to be wanted running; while its target is away the job waits.',
    params: TaskParams,
    query: NoQuery,
    body: RedriveDeadLetters,
    answers: jobAnswers,
    problems: [404, 409],
  },
  'POST /tasks/{taskId}/dead-letters/discard': {
    operationId: 'discardDeadLetters',
    summary: 'Throw dead letters away, for good',
    params: TaskParams,
    query: NoQuery,
    body: DiscardDeadLetters,
    answers: jobAnswers,
    problems: [409],
  },
  'GET /tasks/{taskId}/dead-letter-jobs': {
    operationId: 'listDeadLetterJobs',
    summary: 'List what was asked for about the dead letters of a task, newest first',
    params: TaskParams,
    query: PageQuery,
    answers: { 200: { description: 'A page of jobs', schema: pageOf(DeadLetterJobAnswer) } },
    problems: [],
  },
  'GET /tasks/{taskId}/dead-letter-jobs/{jobId}': {
    operationId: 'getDeadLetterJob',
    summary: 'Read how far a job is',
    params: JobParams,
    query: NoQuery,
    answers: { 200: { description: 'The job', schema: DeadLetterJobAnswer } },
    problems: [404],
  },
} as const satisfies Routes;
