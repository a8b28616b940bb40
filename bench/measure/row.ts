/** One line of the table: what was asked for, and what was seen. */
export interface Row {
  what: string;
  /** Such as `≥ 1.8 ×`; absent: a figure beside, without a bar. */
  bar?: { bound: 'at least' | 'at most'; value: number };
  seen: number;
  unit: string;
  /** A sentence beside the figure. */
  note?: string;
}

export function isMet({ bar, seen }: Row): boolean {
  if (bar === undefined) return true;
  return bar.bound === 'at least' ? seen >= bar.value : seen <= bar.value;
}

/** Markdown, so that it can go into a document as it is. */
export function tableOf(rows: readonly Row[]): string {
  const head = ['what', 'bar', 'seen', ''];
  const cells = rows.map((row) => [
    row.note === undefined ? row.what : `${row.what} (${row.note})`,
    row.bar === undefined
      ? '–'
      : `${row.bar.bound === 'at least' ? '≥' : '≤'} ${show(row.bar.value, row.unit)}`,
    show(row.seen, row.unit),
    row.bar === undefined ? '' : isMet(row) ? 'met' : 'MISSED',
  ]);
  return [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function show(value: number, unit: string): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`;
}
