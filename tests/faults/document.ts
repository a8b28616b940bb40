import { readFile } from 'node:fs/promises';
import { textTable } from '../helpers/text-table.ts';
import { markdownTable, sectionOf, writeSection } from '../helpers/written-section.ts';
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
  const title = first === undefined ? '' : `${first.fault}, ${ratesOf(rows)}\n`;
  return title + textTable(lines);
}

/** What a run has seen. */
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

/**
 * Writes what was seen into the document, between the marks of the suite. What was not tried again stays as it was.
 *
 * @param order - names of all faults of the suite; others are gone from the document
 */
export async function writeDocument(
  file: string,
  suite: string,
  order: readonly string[],
  seen: Seen,
): Promise<void> {
  const before = sectionOf(await readFile(file, 'utf8'), suite);
  await writeSection(file, suite, mergeSeen(before, describeSeen(seen, new Date()), order));
}

const PEERS = 'Beside a peer';
const HEADING = /^### (.*)$/m;

/** The sections of both, of the same name the later one, in order. */
export function mergeSeen(before: string, seen: string, order: readonly string[]): string {
  const sections = new Map(
    [before, seen]
      .flatMap((text) => text.split(/^(?=### )/m))
      .map((section) => [HEADING.exec(section)?.[1], section.trim()] as const),
  );
  return [PEERS, ...order].flatMap((name) => sections.get(name) ?? []).join('\n\n');
}

/** In Markdown, a section for each fault that has rows. */
export function describeSeen({ rows, memory, faults, outages, machine }: Seen, at: Date): string {
  const seenOn = `Seen on ${at.toISOString().slice(0, 10)}, ${machine}.`;
  return [
    ...(outages.length === 0 ? [] : [peerSection(outages, seenOn)]),
    ...faults
      .map(({ name, what }) => ({
        ...{ name, what, seenOn },
        rows: rows.filter(({ fault }) => fault === name),
        memory: memory.filter(({ fault }) => fault === name),
      }))
      .filter((one) => one.rows.length > 0)
      .map(section),
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

function peerSection(outages: readonly OutageResult[], seenOn: string): string {
  const sentence =
    'RocketMQ is killed and started again 18 s later, while 2,246 messages come at 100 a second. Session path and peers go through the same outage side by side, their MQTT broker keeps 1,000 messages of a session; the rule path goes through it on the deployed service (`rocketmq-killed`).';
  return [
    `### ${PEERS}`,
    '',
    `${sentence} ${seenOn}`,
    '',
    ...markdownTable(OUTAGE_HEADS, outages.map(outageCells)),
  ].join('\n');
}

interface SeenFault extends Pick<Fault, 'name' | 'what'> {
  rows: readonly FaultRow[];
  memory: readonly MemoryRow[];
  seenOn: string;
}

function section({ name, what, rows, memory, seenOn }: SeenFault): string {
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
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1)}; ${ratesOf(rows)}. ${seenOn}`;
  return [`### ${name}`, '', sentence, '', ...table, ...(missed.length > 0 ? ['', ...missed] : [])].join(
    '\n',
  );
}

/** Pairs may have a rate of their own. */
function ratesOf(rows: readonly FaultRow[]): string {
  const rate = Math.max(...rows.map(({ perSecond }) => perSecond));
  const slower = rows.filter(({ perSecond }) => perSecond < rate);
  const others = slower.map(({ pair, perSecond }) => `${pair} ${perSecond}`).join(', ');
  return `${rate} messages a second on each pair${others === '' ? '' : `, but for ${others}: the emulator takes no more`}`;
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
