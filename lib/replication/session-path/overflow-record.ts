import { createHash } from 'node:crypto';
import { encodeLargeEnvelope, encodeSessionEnvelope } from '../../mapping/session-envelope.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';
import type { LaneItem } from './session-item.ts';

/** A longer envelope lies in the bucket, and the record names it: SQS takes 1 MiB in one request, for ten records. */
const MAX_INLINE_LENGTH = 200_000;

/** SQS: 1 to 128 of letters, digits and punctuation. */
const LEGAL_GROUP = /^[\x21-\x7e]{1,128}$/;

/** A RocketMQ message group as a message group of SQS: as it is where SQS takes it, else its SHA-256 in base64url. */
export function toOverflowGroup(messageGroup: string): string {
  if (LEGAL_GROUP.test(messageGroup)) return messageGroup;
  return createHash('sha256').update(messageGroup, 'utf8').digest('base64url');
}

/**
 * The text that carries a message through the task's queue or into its dead letters. A large one is stored first, so that no
 * record ever names an object that was not written; the bucket's life cycle ends it.
 *
 * @param options.id - names the object, when there is one
 */
export async function overflowBody(
  { delivery, filterIndex, provenance, isMaybeStored = false }: LaneItem,
  options: { taskId: string; version: number; id: string; largeBodies: Pick<LargeBodies, 'put'> },
): Promise<string> {
  const { taskId, version, id, largeBodies } = options;
  const text = encodeSessionEnvelope({
    ...delivery.message,
    taskId,
    version,
    ...(filterIndex === undefined ? {} : { filterIndex }),
    messageId: provenance.messageId,
    receiptTimeMs: delivery.receivedAtMs,
    ...((isMaybeStored || provenance.isResent === true) && { isResent: true }),
  });
  // ASCII: so many characters, so many bytes.
  if (text.length <= MAX_INLINE_LENGTH) return text;
  const key = `overflow/${taskId}/${id}`;
  await largeBodies.put(key, text);
  return encodeLargeEnvelope({ taskId, version, key });
}
