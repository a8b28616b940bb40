import type { DeadLetter } from '../../domain/dead-letters/dead-letter.ts';
import { deadLetterNotFound } from '../../domain/errors/request-errors.ts';
import { type DeadLetterContent, readDeadLetter } from '../../mapping/dead-letter-content.ts';
import { decodeLargeEnvelope } from '../../mapping/session-envelope.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { LargeBodies } from '../../ports/large-bodies.ts';

/** A dead letter and the message in it. Throws `RequestError` 404 `DEAD_LETTER_NOT_FOUND`. */
export type GetDeadLetter = (request: {
  taskId: string;
  deadLetterId: string;
}) => Promise<{ letter: DeadLetter; content: DeadLetterContent }>;

export function createGetDeadLetter({
  deadLetters,
  largeBodies,
}: {
  deadLetters: Pick<DeadLetterStore, 'get'>;
  largeBodies: Pick<LargeBodies, 'get'>;
}): GetDeadLetter {
  return async ({ taskId, deadLetterId }) => {
    const letter = await deadLetters.get(taskId, deadLetterId);
    if (letter === undefined) throw deadLetterNotFound(deadLetterId);
    const elsewhere = decodeLargeEnvelope(letter.body)?.key;
    const body = elsewhere === undefined ? letter.body : ((await largeBodies.get(elsewhere)) ?? letter.body);
    return { letter, content: readDeadLetter({ ...letter, body }) };
  };
}
