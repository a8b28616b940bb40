import { textTable } from '../helpers/text-table.ts';
import { markdownTable } from '../helpers/written-section.ts';

/** One line of a trial's result: what was looked at, what is asked of it, what was seen. */
export interface Row {
  trial: string;
  what: string;
  /** `–`: a figure to know, not a promise. */
  bar: string;
  seen: string;
  isGood: boolean;
}

/** Collects the lines of one trial. */
export function createRows(trial: string) {
  const rows: Row[] = [];
  return {
    rows,
    /** Something that is promised. */
    expect(what: string, bar: string, seen: string | number, isGood: boolean): void {
      rows.push({ trial, what, bar, seen: String(seen), isGood });
    },
    none(what: string, items: readonly unknown[]): void {
      const examples = items.length === 0 ? '' : ` (${items.slice(0, 5).join(', ')})`;
      rows.push({ trial, what, bar: '0', seen: `${items.length}${examples}`, isGood: items.length === 0 });
    },
    atMost(what: string, bar: number, seen: number, unit: string): void {
      const shown = (value: number) => `${Math.round(value * 100) / 100} ${unit}`;
      rows.push({ trial, what, bar: `≤ ${shown(bar)}`, seen: shown(seen), isGood: seen <= bar });
    },
    /** A figure to know. */
    tell(what: string, seen: string | number): void {
      rows.push({ trial, what, bar: '–', seen: String(seen), isGood: true });
    },
  };
}
export type Rows = ReturnType<typeof createRows>;

/** A table for a terminal or a log. */
export function describeRows(rows: readonly Row[]): string {
  const lines = rows.map(({ trial, what, bar, seen, isGood }) => [
    trial,
    what,
    bar,
    seen,
    isGood ? 'ok' : 'MISSED',
  ]);
  return textTable([['trial', 'what', 'bar', 'seen', ''], ...lines]);
}

/** The same for a document. */
export function markdownRows(rows: readonly Row[]): string {
  const lines = rows.map(({ trial, what, bar, seen, isGood }) => [
    trial,
    what,
    bar,
    isGood ? seen : `${seen} **missed**`,
  ]);
  return markdownTable(['part', 'what', 'bar', 'seen'], lines).join('\n');
}

/** `p50 3, p99 20, most 31 ms`, of figures in any order. */
export function spread(values: readonly number[], unit = 'ms'): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)} ${unit}`;
}
