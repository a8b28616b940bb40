import { createHash } from 'node:crypto';
import { encodeTime } from 'ulid';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_LENGTH = 10;
const HASH_LENGTH = 16;
/** The last time that a ULID can say. */
const MAX_TIME_MS = 2 ** 48 - 1;

/**
 * The id of a dead letter: a ULID whose time is when the message was first seen, and whose other 80 bits are a hash of
 * task and source record instead of chance. So the same record handed over twice (a function killed between hand-over
 * and acknowledgement) has one id, and is stored once. A time that no ULID can say, as a producer may claim it, is the nearest one.
 */
export function deadLetterIdOf(source: { taskId: string; recordId: string; firstSeenAtMs: number }): string {
  const digest = createHash('sha256').update(`${source.taskId}\n${source.recordId}`).digest();
  let id = encodeTime(Math.min(Math.max(0, Math.trunc(source.firstSeenAtMs) || 0), MAX_TIME_MS), TIME_LENGTH);
  for (const byte of digest.subarray(0, HASH_LENGTH)) id += CROCKFORD.charAt(byte & 31);
  return id;
}
