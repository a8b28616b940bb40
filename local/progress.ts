/** Says what is going on, with the time each step took. */
export interface Progress {
  /** Runs one step and says when it is done; steps may overlap. */
  step<T>(name: string, work: () => Promise<T>, describe?: (result: T) => string): Promise<T>;
  /** The same for a step that may find nothing to do, and then says nothing. */
  stepIfNeeded(name: string, work: () => Promise<boolean>): Promise<void>;
  say(line: string): void;
}

/** One line per step as it ends: seconds, name, result. */
export function createProgress(print: (line: string) => void = console.log): Progress {
  const timed = async <T>(work: () => Promise<T>): Promise<[T, string]> => {
    const began = performance.now();
    const result = await work();
    return [result, ((performance.now() - began) / 1000).toFixed(1).padStart(6)];
  };
  return {
    async step(name, work, describe) {
      const [result, seconds] = await timed(work);
      print(`${seconds} s  ${name}${describe === undefined ? '' : `: ${describe(result)}`}`);
      return result;
    },
    async stepIfNeeded(name, work) {
      const [needed, seconds] = await timed(work);
      if (needed) print(`${seconds} s  ${name}`);
    },
    say(line) {
      print(`          ${line}`);
    },
  };
}

/** Says nothing. */
export const SILENT: Progress = createProgress(() => undefined);
