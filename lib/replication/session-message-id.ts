import { createHash } from 'node:crypto';
import type { SessionDelivery } from '../ports/mqtt-session.ts';

/** `mqferry_id` of what one session of one lane took in. A hint for consumers, never a reason to drop anything. */
export type SessionMessageId = (delivery: SessionDelivery) => string;

/** @param session.startMs - when this connection was made: packet ids are used again by every other */
export function createSessionMessageId(session: {
  taskId: string;
  lane: number;
  startMs: number;
}): SessionMessageId {
  const head = `${session.taskId}\n${session.lane}\n${session.startMs}\n`;
  let unnumbered = 0;
  return ({ packetId, message }) => {
    if (packetId === undefined) unnumbered += 1;
    const place = packetId ?? `q0-${unnumbered}`;
    return createHash('sha256')
      .update(`${head}${place}\n${message.topicName}\n${JSON.stringify(message.userProperties)}\n`)
      .update(message.payload)
      .digest('base64url');
  };
}
