import { z } from 'zod';

const ControlMessage = z.object({ taskId: z.string().min(1) });

/** A message of the control queue: look at this task again. */
export function encodeControlMessage(taskId: string): string {
  return JSON.stringify({ taskId } satisfies z.infer<typeof ControlMessage>);
}

/** The task that a message of the control queue is about; undefined for a body that is none of ours. */
export function decodeControlMessage(body: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // Only converge's own stack may send here, so this is a mistake, and no repetition helps.
    return undefined;
  }
  const message = ControlMessage.safeParse(json);
  return message.success ? message.data.taskId : undefined;
}
