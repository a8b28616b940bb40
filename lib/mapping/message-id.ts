import { createHash, hash } from 'node:crypto';
import type { MqttMessage, ReceivedRocketmqMessage } from '../domain/messages/message.ts';

/** SHA-1 is the quickest of Node's hashes where the processor knows it; nothing here has to withstand an attacker. */
const ALGORITHM = 'sha1';
const SCRATCH_BYTES = 64 * 1024;
const UTF8_BYTES_PER_UNIT = 3;
/** Of the numbers before each text and before the payload. */
const LENGTH_BYTES = 4;

/** Names the messages of one session: `mqferry_id`, 27 characters. */
export type SessionMessageIds = (message: MqttMessage, packetId: number | undefined) => string;

/**
 * Makes the ids of one session's messages: a hash of task, lane, start of the session, packet identifier, topic name, user
 * properties and payload. The same for a copy that the broker sends again, so a hint for consumers; no proof of one, since
 * packet identifiers and payloads repeat honestly. A message of QoS 0 has no packet identifier, and is counted instead.
 *
 * @param sessionStartMs when the broker began the session, not when this connection began; epoch milliseconds.
 */
export function createSessionMessageIds(session: {
  taskId: string;
  lane: number;
  sessionStartMs: number;
}): SessionMessageIds {
  const scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  const prefixBytes = scratch.write(`${session.taskId} ${session.lane} ${session.sessionStartMs} `, 'latin1');
  let unnumbered = 0;
  return (message, packetId) => {
    if (packetId === undefined) unnumbered += 1;
    // A packet identifier is never 0 [MQTT-2.2.1-3]; the bound keeps the count a whole number of four bytes.
    const numbers: [number, number] = packetId === undefined ? [0, unnumbered >>> 0] : [packetId, 0];
    if (prefixBytes + 2 * LENGTH_BYTES + maxBytes(message) > SCRATCH_BYTES) {
      return hashOfLarge(scratch.subarray(0, prefixBytes), numbers, message);
    }
    let end = scratch.writeUInt32BE(numbers[0], prefixBytes);
    end = writeText(scratch, message.topicName, scratch.writeUInt32BE(numbers[1], end));
    for (const [name, value] of message.userProperties) {
      end = writeText(scratch, value, writeText(scratch, name, end));
    }
    end += message.payload.copy(scratch, scratch.writeUInt32BE(message.payload.length, end));
    return hash(ALGORITHM, scratch.subarray(0, end), 'base64url');
  };
}

/**
 * `mqferry_id` of a message pulled from RocketMQ: its message id and when it was born, which stay the same when it is
 * delivered again. Its offset does not: a message that comes again lies in a retry topic, at another offset.
 */
export function pulledMessageId({
  messageId,
  bornTimeMs,
}: Pick<ReceivedRocketmqMessage, 'messageId' | 'bornTimeMs'>): string {
  return `${messageId}-${bornTimeMs}`;
}

function maxBytes({ topicName, userProperties, payload }: MqttMessage): number {
  let units = topicName.length;
  let lengths = 2;
  for (const [name, value] of userProperties) {
    units += name.length + value.length;
    lengths += 2;
  }
  return units * UTF8_BYTES_PER_UNIT + lengths * LENGTH_BYTES + payload.length;
}

/** With its length before it, so that no two lists of texts look alike. */
function writeText(target: Buffer, text: string, offset: number): number {
  const bytes = target.write(text, offset + LENGTH_BYTES, 'utf8');
  target.writeUInt32BE(bytes, offset);
  return offset + LENGTH_BYTES + bytes;
}

function hashOfLarge(prefix: Buffer, numbers: readonly [number, number], message: MqttMessage): string {
  const digest = createHash(ALGORITHM)
    .update(prefix)
    .update(lengthOf(numbers[0]))
    .update(lengthOf(numbers[1]));
  for (const text of [message.topicName, ...message.userProperties.flat()]) {
    const bytes = Buffer.from(text, 'utf8');
    digest.update(lengthOf(bytes.length)).update(bytes);
  }
  return digest.update(lengthOf(message.payload.length)).update(message.payload).digest('base64url');
}

function lengthOf(value: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32BE(value);
  return bytes;
}
