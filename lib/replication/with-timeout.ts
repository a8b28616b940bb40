/**
 * The promise's value, or undefined once `ms` have passed. A collaborator that never answers must not take the
 * answers of the others with it: when the function is ended by force, the whole batch comes again. A late rejection
 * is swallowed: its outcome is no longer asked for.
 */
export async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: timedOut, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, Math.max(0, ms), undefined);
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, timedOut]);
  } finally {
    clearTimeout(timer);
  }
}

/** The promise's value; rejects when it takes longer. */
export async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  const answer = await withTimeout(
    promise.then((value) => ({ value })),
    ms,
  );
  if (answer === undefined) throw new Error(`no answer within ${ms} ms`);
  return answer.value;
}
