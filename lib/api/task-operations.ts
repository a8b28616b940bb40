import type { ReadErrors } from '../control/figures/read-errors.ts';
import type { CreateTask } from '../control/tasks/create-task.ts';
import type { DeleteTask } from '../control/tasks/delete-task.ts';
import type { EditTask } from '../control/tasks/edit-task.ts';
import type { GetTask } from '../control/tasks/get-task.ts';
import type { ListEvents } from '../control/tasks/list-events.ts';
import type { ListRevisions } from '../control/tasks/list-revisions.ts';
import type { ListTasks } from '../control/tasks/list-tasks.ts';
import type { PauseTask } from '../control/tasks/pause-task.ts';
import type { StartTask } from '../control/tasks/start-task.ts';
import type { Task, TaskStatus } from '../domain/tasks/task.ts';
import type { TaskFilter } from '../domain/tasks/task-filter.ts';
import type { Operations } from './route.ts';
import type { TASK_ROUTES } from './task-routes.ts';
import { lastErrorsAnswer, taskAnswer } from './task-schemas.ts';

export interface TaskUseCases {
  createTask: CreateTask;
  listTasks: ListTasks;
  getTask: GetTask;
  readErrors: ReadErrors;
  editTask: EditTask;
  deleteTask: DeleteTask;
  startTask: StartTask;
  pauseTask: PauseTask;
  listEvents: ListEvents;
  listRevisions: ListRevisions;
}

const RUNS: readonly TaskStatus[] = ['running', 'degraded'];
const IS_PAUSED: readonly TaskStatus[] = ['paused'];

/** What each task route does: one use case, and its outcome as an answer. */
export function taskOperations(use: TaskUseCases): Operations<typeof TASK_ROUTES> {
  return {
    'POST /tasks': async ({ body: { startNow, ...body }, idempotencyKey, actor }) => {
      const { task, replayed, warnings } = await use.createTask({ body, startNow, idempotencyKey, actor });
      return {
        status: replayed ? 200 : 201,
        body: { ...taskAnswer(task), warnings },
        version: task.version,
        location: `/tasks/${task.taskId}`,
      };
    },
    'GET /tasks': async ({ query: { limit, cursor, q, ...rest } }) => {
      const filter = present({ ...rest, query: q }) as TaskFilter;
      const page = await use.listTasks({ filter, limit, cursor });
      return { status: 200, body: { ...page, items: page.items.map(taskAnswer) } };
    },
    'GET /tasks/{taskId}': async ({ params }) => {
      const [task, errors] = await Promise.all([use.getTask(params.taskId), use.readErrors(params.taskId)]);
      const body = { ...taskAnswer(task), lastErrors: lastErrorsAnswer(errors) };
      return { status: 200, body, version: task.version };
    },
    'PATCH /tasks/{taskId}': async ({ params, body, ifMatch, actor }) => {
      const request = { ...params, patch: body, expectedVersion: ifMatch, actor };
      const { task, warnings, affectsBuffered } = await use.editTask(request);
      return { status: 200, body: { ...taskAnswer(task), warnings, affectsBuffered }, version: task.version };
    },
    'DELETE /tasks/{taskId}': async ({ params, query, ifMatch, actor }) => {
      const discardBacklog = query.backlog === 'discard';
      return answer(
        202,
        await use.deleteTask({ ...params, discardBacklog, expectedVersion: ifMatch, actor }),
      );
    },
    'POST /tasks/{taskId}/start': async ({ params, actor }) => {
      const task = await use.startTask({ ...params, actor });
      return answer(RUNS.includes(task.status) ? 200 : 202, task);
    },
    'POST /tasks/{taskId}/pause': async ({ params, actor }) => {
      const task = await use.pauseTask({ ...params, actor });
      return answer(IS_PAUSED.includes(task.status) ? 200 : 202, task);
    },
    'GET /tasks/{taskId}/events': async ({ params, query }) => ({
      status: 200,
      body: await use.listEvents({ ...params, ...query }),
    }),
    'GET /tasks/{taskId}/revisions': async ({ params, query }) => ({
      status: 200,
      body: await use.listRevisions({ ...params, ...query }),
    }),
  };
}

function answer<Status extends number>(status: Status, task: Task) {
  return { status, body: taskAnswer(task), version: task.version };
}

function present(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
