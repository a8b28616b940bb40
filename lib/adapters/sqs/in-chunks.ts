import { forEachInFlight } from '../../domain/for-each-in-flight.ts';

/** SQS takes at most ten entries in one batch request. */
export const MAX_ENTRIES = 10;

/**
 * Works on chunks side by side, at most `limit` at a time, and answers in the order of the chunks. A chunk whose work
 * throws answers `onError`: one lost request must not take the answers of the others with it.
 */
export async function inChunks<T, R>(
  chunks: readonly T[],
  limit: number,
  work: (chunk: T) => Promise<R>,
  onError: (chunk: T, error: unknown) => R,
): Promise<R[]> {
  const answers: R[] = new Array(chunks.length);
  await forEachInFlight([...chunks.entries()], limit, async ([index, chunk]) => {
    answers[index] = await work(chunk).catch((error: unknown) => onError(chunk, error));
  });
  return answers;
}
