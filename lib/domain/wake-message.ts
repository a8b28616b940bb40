/** Body of a record in the control queue. */
export function encodeWake(taskId: string): string {
  return JSON.stringify({ taskId });
}

/** Body of the record by which converge looks after shifts between two ticks. */
export const SHIFT_WATCH = JSON.stringify({ watch: 'shifts' });

/** The task id of a body; undefined when it is none of ours. */
export function decodeWake(body: string): string | undefined {
  try {
    const { taskId } = JSON.parse(body) as { taskId?: unknown };
    return typeof taskId === 'string' && taskId !== '' ? taskId : undefined;
  } catch {
    return undefined;
  }
}
