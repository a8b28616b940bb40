/**
 * Runs steps side by side. The first failure aborts the others, which are awaited before it is thrown: nothing goes on
 * behind the caller's back.
 */
export async function together<T extends readonly unknown[]>(
  outer: AbortSignal,
  steps: { [Index in keyof T]: (signal: AbortSignal) => Promise<T[Index]> },
): Promise<T> {
  const failure = new AbortController();
  const signal = AbortSignal.any([outer, failure.signal]);
  let first: { error: unknown } | undefined;
  const results = await Promise.all(
    steps.map(async (step) => {
      try {
        return await step(signal);
      } catch (error) {
        first ??= { error };
        failure.abort(error);
        return undefined;
      }
    }),
  );
  if (first !== undefined) throw first.error;
  return results as unknown as T;
}
