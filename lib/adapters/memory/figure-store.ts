import { addFigures, type Figures, newFigures, startOfMinuteMs } from '../../domain/figures/figures.ts';
import type { FigureRange, FigureStore, FigureWriteId, WitnessMinute } from '../../ports/figure-store.ts';

const MINUTES_OF_AN_HOUR = 60;

interface KeptMinute {
  figures: Figures;
  writers: Map<string, number>;
}

interface KeptTask {
  minutes: Map<number, KeptMinute>;
  hours: Map<number, Figures>;
  totals: Figures;
  foldedThrough: number;
  witness: Map<string, WitnessMinute & { writers: Map<string, number> }>;
}

/** Figures in memory, for tests. */
export function createMemoryFigureStore(): FigureStore {
  const tasks = new Map<string, KeptTask>();

  function of(taskId: string): KeptTask {
    const found = tasks.get(taskId) ?? {
      minutes: new Map(),
      hours: new Map(),
      totals: newFigures(),
      foldedThrough: 0,
      witness: new Map(),
    };
    tasks.set(taskId, found);
    return found;
  }

  function witnessOf(taskId: string, minute: number, lane: number) {
    const { witness } = of(taskId);
    const key = `${minute} ${lane}`;
    const found = witness.get(key) ?? {
      minute,
      lane,
      receipts: 0,
      opens: 0,
      closes: 0,
      writers: new Map<string, number>(),
    };
    witness.set(key, found);
    return found;
  }

  function openMinutes({ minutes, foldedThrough }: KeptTask): [number, KeptMinute][] {
    return [...minutes].filter(([minute]) => minute > foldedThrough).sort(([one], [other]) => one - other);
  }

  return {
    async add({ taskId, minute, writer, sequence, figures }) {
      const { minutes } = of(taskId);
      const kept = minutes.get(minute) ?? { figures: newFigures(), writers: new Map() };
      if (!isNew(kept.writers, { writer, sequence })) return;
      addFigures(kept.figures, structuredClone(figures));
      minutes.set(minute, kept);
    },
    async wasAdded({ taskId, minute, writer, sequence }) {
      return (of(taskId).minutes.get(minute)?.writers.get(writer) ?? 0) >= sequence;
    },
    async addWitness({ taskId, lane, minute, writer, sequence, receipts, opened = false, closed = false }) {
      const kept = witnessOf(taskId, minute, lane);
      if (!isNew(kept.writers, { writer, sequence })) return;
      kept.receipts += receipts;
      kept.opens += Number(opened);
      kept.closes += Number(closed);
    },
    async putSample(taskId, minute, sample) {
      witnessOf(taskId, minute, 0).sample = { ...sample };
    },
    async witness(taskId, range) {
      return [...of(taskId).witness.values()]
        .filter(({ minute }) => isIn(minute, range))
        .sort((one, other) => one.minute - other.minute || one.lane - other.lane)
        .map(({ writers: _, ...told }) => structuredClone(told));
    },
    async lastSample(taskId) {
      const samples = [...of(taskId).witness.values()].flatMap(({ sample }) => sample ?? []);
      return samples.sort((one, other) => one.atMs - other.atMs).at(-1);
    },
    async totals(taskId) {
      const kept = of(taskId);
      return sumOf([kept.totals, ...openMinutes(kept).map(([, { figures }]) => figures)]);
    },
    async read(taskId, range, period) {
      const kept = of(taskId);
      const parts =
        period === 'minute'
          ? [...kept.minutes].map(([minute, { figures }]) => ({ minute, figures }))
          : [
              ...[...kept.hours].map(([minute, figures]) => ({ minute, figures })),
              ...openMinutes(kept).map(([minute, { figures }]) => ({
                minute: hourOf(minute),
                figures: { ...figures, errors: [] },
              })),
            ];
      const byStart = Map.groupBy(
        parts.filter(({ minute }) => isIn(minute, range)),
        ({ minute }) => minute,
      );
      return [...byStart]
        .sort(([one], [other]) => one - other)
        .map(([minute, some]) => ({
          startMs: startOfMinuteMs(minute),
          figures: sumOf(some.map(({ figures }) => figures)),
        }));
    },
    async fold(taskId, throughMinute) {
      const kept = of(taskId);
      const due = openMinutes(kept).filter(([minute]) => minute <= throughMinute);
      for (const [minute, { figures }] of due) {
        const { sourceMinutes: _, ...lasting } = structuredClone(figures);
        const hour = kept.hours.get(hourOf(minute)) ?? newFigures();
        addFigures(hour, { ...lasting, sourceMinutes: {}, errors: [] });
        kept.hours.set(hourOf(minute), hour);
        addFigures(kept.totals, { ...lasting, sourceMinutes: {} });
        kept.foldedThrough = minute;
      }
      return due.length;
    },
    async forget(taskId) {
      tasks.delete(taskId);
    },
  };
}

function isNew(
  writers: Map<string, number>,
  { writer, sequence }: Pick<FigureWriteId, 'writer' | 'sequence'>,
): boolean {
  if ((writers.get(writer) ?? 0) >= sequence) return false;
  writers.set(writer, sequence);
  return true;
}

function isIn(minute: number, { fromMinute, toMinute }: FigureRange): boolean {
  return minute >= fromMinute && minute <= toMinute;
}

function hourOf(minute: number): number {
  return minute - (minute % MINUTES_OF_AN_HOUR);
}

function sumOf(parts: readonly Figures[]): Figures {
  const sum = newFigures();
  for (const part of parts) addFigures(sum, structuredClone(part));
  return sum;
}
