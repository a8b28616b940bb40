import { readFile, writeFile } from 'node:fs/promises';
import type { Fault } from './fault.ts';
import { type FaultRow, seconds } from './row.ts';

const HEADS = [
  'pair',
  'sent',
  'delivered',
  'lost',
  'lost by the broker',
  'changed',
  'duplicates',
  'groups out of order',
  'dead letters',
  'back after',
  'all there after',
  'what the status said',
] as const;

/** Between these two lines the document is the suite's. */
const BEGIN = '<!-- written by npm run faults -->';
const END = '<!-- end -->';

/** A table for a terminal. */
export function describeFaultRows(rows: readonly FaultRow[]): string {
  const lines = [
    [...HEADS, 'missed'],
    ...rows.map((row) => [...cellsOf(row), row.missed.join('; ') || 'ok']),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const [first] = rows;
  const title = first === undefined ? '' : `${first.fault}, ${first.perSecond}/s\n`;
  return (
    title +
    lines
      .map((line) =>
        line
          .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
          .join('  ')
          .trimEnd(),
      )
      .join('\n')
  );
}

/** Writes what was seen into the document, between the marks. */
export async function writeDocument(
  file: string,
  { rows, faults, machine }: { rows: readonly FaultRow[]; faults: readonly Fault[]; machine: string },
): Promise<void> {
  const text = await readFile(file, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${file} has no place for the table`);
  const written = [
    `Seen on ${new Date().toISOString().slice(0, 10)}, ${machine}.`,
    ...faults.map((fault) =>
      section(
        fault,
        rows.filter(({ fault: name }) => name === fault.name),
      ),
    ),
  ].join('\n\n');
  await writeFile(file, `${before}${BEGIN}\n${written}\n${END}${after}`);
}

function section({ name, what }: Fault, rows: readonly FaultRow[]): string {
  const table = [HEADS, HEADS.map(() => '---'), ...rows.map(cellsOf)].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
  const missed = rows.flatMap((row) => row.missed.map((miss) => `- **missed**, ${row.pair}: ${miss}`));
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1)}; ${rows[0]?.perSecond ?? 0} messages a second on each pair.`;
  return [`### ${name}`, '', sentence, '', ...table, ...(missed.length > 0 ? ['', ...missed] : [])].join(
    '\n',
  );
}

function cellsOf(row: FaultRow): string[] {
  return [
    row.pair,
    `${row.sent}`,
    `${row.delivered}`,
    `${row.lost}`,
    `${row.lostByBroker}`,
    `${row.changed}`,
    `${row.duplicates}`,
    row.isOrdered ? `${row.outOfOrder}` : `(${row.outOfOrder})`,
    `${row.deadLetters}`,
    row.recoveredMs === undefined ? '–' : seconds(row.recoveredMs),
    seconds(Math.max(0, row.allThereMs)),
    row.said,
  ];
}
