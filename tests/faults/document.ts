import { textTable } from '../helpers/text-table.ts';
import { markdownTable, writeSection } from '../helpers/written-section.ts';
import type { OutageResult } from './eighteen-seconds-figures.ts';
import type { Fault } from './fault.ts';
import type { MemoryRow } from './memory-watch.ts';
import type { PairPath } from './pairs.ts';
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
  '`%DLQ%`',
  'degraded after',
  'back after',
  'in hand came after',
  'all there after',
  'what the status said',
] as const;

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
export interface Seen {
  rows: readonly FaultRow[];
  memory: readonly MemoryRow[];
  faults: readonly Fault[];
  /** Of the outage of 18 s, beside a peer. */
  outages: readonly OutageResult[];
  machine: string;
}

/** Each writes a part of the document. */
export const SUITE = 'faults';
export const LONG_SUITE = 'faults -- --long';

/** Writes what was seen into the document, between the marks of the suite. */
export async function writeDocument(file: string, suite: string, seen: Seen): Promise<void> {
  await writeSection(file, suite, describeSeen(seen, new Date()));
}

/** In Markdown. */
export function describeSeen({ rows, memory, faults, outages, machine }: Seen, at: Date): string {
  return [
    `Seen on ${at.toISOString().slice(0, 10)}, ${machine}.`,
    ...(outages.length === 0 ? [] : [peerSection(outages)]),
    ...faults.map((fault) =>
      section(
        fault,
        rows.filter(({ fault: name }) => name === fault.name),
        memory.filter(({ fault: name }) => name === fault.name),
      ),
    ),
  ].join('\n\n');
}

const OUTAGE_HEADS = ['carried by', 'sent', 'arrived', 'lost', 'duplicates'] as const;

const MEMORY_HEADS = [
  'function',
  'watched for',
  'resident memory',
  'gains a minute',
  'open handles',
] as const;
const SHIFT_NAMES: Readonly<Record<PairPath, string>> = {
  rule: 'batching function',
  session: 'session shift',
  pull: 'pull shift',
};

/** A table for a terminal; empty where no memory was watched. */
export function describeMemory(memory: readonly MemoryRow[]): string {
  if (memory.length === 0) return '';
  const lines = memory.map((row) => [...memoryCells(row), row.missed.join('; ') || 'ok']);
  return textTable([[...MEMORY_HEADS, 'missed'], ...lines]);
}

function memoryCells(row: MemoryRow): string[] {
  return [
    SHIFT_NAMES[row.path],
    seconds(row.watchedMs),
    rangeOf(row.leastMb, row.mostMb, ' MiB'),
    `${row.gainsMbPerMinute.toFixed(2)} MiB`,
    rangeOf(row.leastHandles, row.mostHandles, ''),
  ];
}

/** A table for a terminal. */
export function describeOutages(outages: readonly OutageResult[]): string {
  return textTable([OUTAGE_HEADS, ...outages.map(outageCells)]);
}

function outageCells({ who, sent, arrived, lost, duplicates }: OutageResult): string[] {
  return [who, ...[sent, arrived, lost, duplicates].map(String)];
}

function peerSection(outages: readonly OutageResult[]): string {
  const sentence =
    'RocketMQ is killed and started again 18 s later, while 2,246 messages come at 100 a second. Session path and peers go through the same outage side by side, their MQTT broker keeps 1,000 messages of a session; the rule path goes through it on the deployed service (`rocketmq-killed`).';
  return [
    '### Beside a peer',
    '',
    sentence,
    '',
    ...markdownTable(OUTAGE_HEADS, outages.map(outageCells)),
  ].join('\n');
}

function section(
  { name, what }: Pick<Fault, 'name' | 'what'>,
  rows: readonly FaultRow[],
  memory: readonly MemoryRow[],
): string {
  const table = [
    ...markdownTable(HEADS, rows.map(cellsOf)),
    ...(memory.length === 0
      ? []
      : ['', 'Meanwhile:', '', ...markdownTable(MEMORY_HEADS, memory.map(memoryCells))]),
  ];
  const missed = [
    ...rows.flatMap((row) => row.missed.map((miss) => `- **missed**, ${row.pair}: ${miss}`)),
    ...memory.flatMap((row) => row.missed.map((miss) => `- **missed**, ${SHIFT_NAMES[row.path]}: ${miss}`)),
  ];
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
    `${row.givenUp}`,
    secondsOrNone(row.degradedMs),
    row.recoveredMs === undefined ? '–' : `${seconds(row.recoveredMs)} (≤ ${seconds(row.recoveryBarMs)})`,
    secondsOrNone(row.inHandMs),
    seconds(Math.max(0, row.allThereMs)),
    row.said,
  ];
}

const secondsOrNone = (ms: number | undefined): string => (ms === undefined ? '–' : seconds(ms));

/** Of nothing that was seen there is no least and no most. */
function rangeOf(least: number, most: number, unit: string): string {
  return Number.isFinite(least) ? `${Math.round(least)} to ${Math.round(most)}${unit}` : '–';
}
