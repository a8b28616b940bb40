import { readFile, writeFile } from 'node:fs/promises';
import { textTable } from '../helpers/text-table.ts';
import type { OutageResult } from './eighteen-seconds.ts';
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
  const [first] = rows;
  const title = first === undefined ? '' : `${first.fault}, ${first.perSecond}/s\n`;
  return title + textTable(lines);
}

/** What a whole run has seen. */
interface Seen {
  rows: readonly FaultRow[];
  faults: readonly Fault[];
  /** Of the outage of 18 s, beside a peer. */
  outages: readonly OutageResult[];
  machine: string;
}

/** Writes what was seen into the document, between the marks. */
export async function writeDocument(file: string, { rows, faults, outages, machine }: Seen): Promise<void> {
  const text = await readFile(file, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${file} has no place for the table`);
  const written = [
    `Seen on ${new Date().toISOString().slice(0, 10)}, ${machine}.`,
    peerSection(outages),
    ...faults.map((fault) =>
      section(
        fault,
        rows.filter(({ fault: name }) => name === fault.name),
      ),
    ),
  ].join('\n\n');
  await writeFile(file, `${before}${BEGIN}\n${written}\n${END}${after}`);
}

const OUTAGE_HEADS = ['carried by', 'sent', 'arrived', 'lost', 'duplicates'] as const;

/** A table for a terminal. */
export function describeOutages(outages: readonly OutageResult[]): string {
  return textTable([OUTAGE_HEADS, ...outages.map(outageCells)]);
}

function outageCells({ who, sent, arrived, lost, duplicates }: OutageResult): string[] {
  return [who, ...[sent, arrived, lost, duplicates].map(String)];
}

function peerSection(outages: readonly OutageResult[]): string {
  const sentence =
    'RocketMQ is killed and started again 18 s later, while messages come at 100 a second into an MQTT session of which the broker keeps 1,000.';
  return [
    '### Beside a peer',
    '',
    sentence,
    '',
    ...markdownTable(OUTAGE_HEADS, outages.map(outageCells)),
  ].join('\n');
}

function markdownTable(heads: readonly string[], lines: readonly (readonly string[])[]): string[] {
  return [heads, heads.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
}

function section({ name, what }: Fault, rows: readonly FaultRow[]): string {
  const table = markdownTable(HEADS, rows.map(cellsOf));
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
