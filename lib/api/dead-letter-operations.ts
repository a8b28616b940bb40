import type { CreateDeadLetterJob } from '../control/dead-letters/create-dead-letter-job.ts';
import type { GetDeadLetter } from '../control/dead-letters/get-dead-letter.ts';
import type { GetDeadLetterJob } from '../control/dead-letters/get-dead-letter-job.ts';
import type { ListDeadLetterJobs } from '../control/dead-letters/list-dead-letter-jobs.ts';
import type { ListDeadLetters } from '../control/dead-letters/list-dead-letters.ts';
import type { SummarizeDeadLetters } from '../control/dead-letters/summarize-dead-letters.ts';
import type { DeadLetterSelection } from '../domain/dead-letters/dead-letter-job.ts';
import { isoTime } from '../domain/iso-time.ts';
import type { DEAD_LETTER_ROUTES } from './dead-letter-routes.ts';
import { deadLetterAnswer, deadLetterHeadAnswer, deadLetterJobAnswer } from './dead-letter-schemas.ts';
import type { Operations } from './route.ts';

export interface DeadLetterUseCases {
  listDeadLetters: ListDeadLetters;
  getDeadLetter: GetDeadLetter;
  summarizeDeadLetters: SummarizeDeadLetters;
  createDeadLetterJob: CreateDeadLetterJob;
  listDeadLetterJobs: ListDeadLetterJobs;
  getDeadLetterJob: GetDeadLetterJob;
}

/** What each route about dead letters does: one use case, and its outcome as an answer. */
export function deadLetterOperations(use: DeadLetterUseCases): Operations<typeof DEAD_LETTER_ROUTES> {
  return {
    'GET /tasks/{taskId}/dead-letters': async ({ params, query }) => {
      const page = await use.listDeadLetters({ ...params, ...query });
      return { status: 200, body: { ...page, items: page.items.map(deadLetterHeadAnswer) } };
    },
    'GET /tasks/{taskId}/dead-letters/{deadLetterId}': async ({ params }) => {
      const { letter, content } = await use.getDeadLetter(params);
      return { status: 200, body: deadLetterAnswer(letter, content) };
    },
    'GET /tasks/{taskId}/dead-letter-summary': async ({ params }) => {
      const { byCode, oldestSeenAtMs, isPartial } = await use.summarizeDeadLetters(params.taskId);
      const messages = Object.values(byCode).reduce((sum, count) => sum + count, 0);
      const oldestAt = oldestSeenAtMs === undefined ? undefined : isoTime(oldestSeenAtMs);
      return { status: 200, body: { messages, byReason: byCode, oldestAt, isPartial } };
    },
    'POST /tasks/{taskId}/dead-letters/redrive': async ({ params, body, actor }) => {
      const { maxMessagesPerSecond, ...selection } = body;
      const job = await use.createDeadLetterJob({
        ...params,
        action: 'redrive',
        selection: selectionOf(selection),
        maxMessagesPerSecond,
        actor,
      });
      return { status: 202, body: deadLetterJobAnswer(job), location: locationOf(job) };
    },
    'POST /tasks/{taskId}/dead-letters/discard': async ({ params, body, actor }) => {
      const selection = selectionOf(body);
      const job = await use.createDeadLetterJob({ ...params, action: 'discard', selection, actor });
      return { status: 202, body: deadLetterJobAnswer(job), location: locationOf(job) };
    },
    'GET /tasks/{taskId}/dead-letter-jobs': async ({ params, query }) => {
      const page = await use.listDeadLetterJobs({ ...params, ...query });
      return { status: 200, body: { ...page, items: page.items.map(deadLetterJobAnswer) } };
    },
    'GET /tasks/{taskId}/dead-letter-jobs/{jobId}': async ({ params }) => ({
      status: 200,
      body: deadLetterJobAnswer(await use.getDeadLetterJob(params)),
    }),
  };
}

function selectionOf(selection: { ids: string[] } | { reason: string } | { all: true }): DeadLetterSelection {
  return 'reason' in selection ? { code: selection.reason } : selection;
}

function locationOf({ taskId, jobId }: { taskId: string; jobId: string }): string {
  return `/tasks/${taskId}/dead-letter-jobs/${jobId}`;
}
