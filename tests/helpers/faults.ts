import { type ConvergeWorld, Killed } from './converge-world.ts';

export { Killed };

/** Reproducible randomness (mulberry32). */
export function randomOf(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** @param kills, throttles - of a hundred calls, how many the process does not survive, and how many are throttled */
export function injectFaults(
  world: ConvergeWorld,
  random: () => number,
  kills: number,
  throttles: number,
): void {
  world.setOnCall((call) => {
    const dice = random() * 100;
    if (dice < kills) throw new Killed(call);
    if (dice > 100 - throttles && /Command$/.test(call)) {
      throw Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' });
    }
  });
}

/** Refusals are the API's way of saying no: the story goes on. */
export async function unlessRefused(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'RequestError')) throw error;
  }
}
