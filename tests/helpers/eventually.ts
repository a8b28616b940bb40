import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks until the answer passes, for states that no part announces by an event (a task's status is read by polling, by
 * users too). Fails with the last answer.
 */
export async function eventually<T>(
  ask: () => Promise<T>,
  passes: (answer: T) => boolean,
  options: { timeoutMs: number; everyMs?: number; what: string },
): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const answer = await ask();
    if (passes(answer)) return answer;
    if (Date.now() >= deadline) {
      throw new Error(
        `${options.what}: not within ${options.timeoutMs} ms; last answer: ${JSON.stringify(answer)?.slice(0, 2_000)}`,
      );
    }
    await delay(options.everyMs ?? 200);
  }
}
