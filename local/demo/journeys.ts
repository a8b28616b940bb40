/** Messages on their way, and who is still to see each. */
export interface Journeys {
  /** To be called right before it is sent. Resolves when each of them has seen it. */
  begin(name: string, readers: readonly string[]): Promise<void>;
  /** Somebody has seen it: prints the line with the time it took. */
  seen(name: string, reader: string, what: string): void;
}

interface Journey {
  sentAtMs: number;
  /** Who has not seen it yet. */
  awaited: Set<string>;
  done: () => void;
}

export function createJourneys(print: (line: string) => void): Journeys {
  const journeys = new Map<string, Journey>();
  return {
    begin(name, readers) {
      const { promise, resolve } = Promise.withResolvers<void>();
      journeys.set(name, { sentAtMs: Date.now(), awaited: new Set(readers), done: resolve });
      return promise;
    },
    seen(name, reader, what) {
      const journey = journeys.get(name);
      const time = journey === undefined ? '' : `${((Date.now() - journey.sentAtMs) / 1000).toFixed(2)} s`;
      print(`  ${time.padStart(6)}  ${reader.padEnd(11)} ${what}`);
      journey?.awaited.delete(reader);
      if (journey?.awaited.size === 0) journey.done();
    },
  };
}
