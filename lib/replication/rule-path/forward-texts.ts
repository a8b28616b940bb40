import { BridgeError, UnmappableMessageError } from '../../domain/errors/errors.ts';
import { decodeLargeEnvelope } from '../../mapping/session-envelope.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';
import type { Logger } from '../../ports/logger.ts';
import { withTimeout } from '../with-timeout.ts';
import type { RecordText } from './decide-record.ts';
import type { SourceRecord } from './source-record.ts';

const READ_MS = 10_000;

/**
 * The texts of records that stand for an envelope which lies elsewhere; of the others, which are nearly all, nothing. Never
 * rejects. The objects stay for the bucket's life cycle to end: a record may come again, or become a dead letter that names
 * its object.
 */
export async function readTexts(
  records: readonly SourceRecord[],
  { largeBodies, logger }: { largeBodies: Pick<LargeBodies, 'get'>; logger: Logger },
): Promise<ReadonlyMap<SourceRecord, RecordText>> {
  const texts = new Map<SourceRecord, RecordText>();

  async function read(record: SourceRecord, key: string): Promise<void> {
    try {
      const reading = largeBodies.get(key).then((text) => ({ text }));
      const answer = await withTimeout(reading, READ_MS);
      texts.set(record, answer === undefined ? unreadable() : (answer.text ?? missing()));
    } catch (error) {
      logger.warn('large body not read', { recordId: record.recordId, error });
      texts.set(record, unreadable(error));
    }
  }

  const reading: Promise<void>[] = [];
  for (const record of records) {
    const key = keyOf(record);
    if (key !== undefined) reading.push(read(record, key));
  }
  await Promise.all(reading);
  return texts;
}

function keyOf({ body }: SourceRecord): string | undefined {
  try {
    return decodeLargeEnvelope(body)?.key;
  } catch {
    // Damaged: reading it as an envelope says what is wrong with it.
    return undefined;
  }
}

function unreadable(cause?: unknown): BridgeError {
  return new BridgeError('reading a large message: the bucket did not answer', {
    code: 'LARGE_BODY_UNAVAILABLE',
    reaction: 'retry',
    scope: 'message',
    ...(cause === undefined ? {} : { cause }),
  });
}

function missing(): BridgeError {
  return new UnmappableMessageError('the large message that the record names is not in the bucket any more', {
    code: 'LARGE_BODY_MISSING',
  });
}
