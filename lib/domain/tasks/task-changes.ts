import type { DesiredState, Task, TaskDefinition, TaskDirection } from './task.ts';

/** The task as a creation records it. Started at once: it may enable its rules as soon as they are made. */
export function newTask(input: {
  taskId: string;
  definition: TaskDefinition;
  direction: TaskDirection;
  sourceRegion: string;
  desired: Extract<DesiredState, 'running' | 'paused'>;
  at: string;
}): Task {
  const { taskId, definition, direction, sourceRegion, desired, at } = input;
  return {
    taskId,
    definition,
    direction,
    sourceRegion,
    desired,
    status: 'creating',
    version: 1,
    createdAt: at,
    updatedAt: at,
    ...(desired === 'running' ? { startedAt: at } : {}),
    resources: { rules: {} },
  };
}

/** The task with its next revision. Status and reason stay: converge tells whether the new definition cures them. */
export function editedTask(
  task: Task,
  edit: { definition: TaskDefinition; direction: TaskDirection; sourceRegion: string; at: string },
): Task {
  return {
    ...task,
    definition: edit.definition,
    direction: edit.direction,
    sourceRegion: edit.sourceRegion,
    version: task.version + 1,
    updatedAt: edit.at,
  };
}

/** Versions as text that sorts like the numbers. */
export function revisionKey(version: number): string {
  return String(version).padStart(10, '0');
}
