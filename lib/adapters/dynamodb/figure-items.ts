import { lastErrors, type MessageError } from '../../domain/errors/message-errors.ts';
import {
  COUNT_NAMES,
  type CountName,
  type Figures,
  LATENCY_STAGES,
  type LatencyStage,
  newFigures,
  startOfMinuteMs,
} from '../../domain/figures/figures.ts';
import type { Item, Key } from './table.ts';

const MINUTES_OF_AN_HOUR = 60;

/** An item of 1 KB costs one write: names are short. What is read again here must not change its name. */
const COUNT_ATTRIBUTES: Readonly<Record<CountName, string>> = {
  consumed: 'c',
  replicated: 'r',
  filtered: 'fi',
  loopSkipped: 'ls',
  deduplicated: 'dd',
  expired: 'ex',
  retried: 're',
  bytes: 'b',
  overlap: 'ov',
  takenBack: 'tb',
  skipped: 'sk',
  redriven: 'rd',
};
const STAGE_ATTRIBUTES: Readonly<Record<LatencyStage, string>> = {
  sync: 'l',
  source: 's',
  queue: 'q',
  function: 'f',
  target: 't',
};
const STAGE_OF = new Map(LATENCY_STAGES.map((stage) => [STAGE_ATTRIBUTES[stage], stage]));
const BUCKET = /^([lsqft])(\d{1,3})$/;
const FAILED = 'x_';
const LEGAL_CODE = /^\w{1,64}$/;
const OTHER_CODE = 'OTHER';
/** Of first receipts by minute, how long before this one the source had them. */
const SOURCE_MINUTE = /^m(\d{1,6})$/;
/** An older one is not looked at by any balance. */
const MAX_SOURCE_MINUTES = 15;
export const ERRORS = 'e';

/** The numbers to add to an item. */
export function attributesOf(figures: Figures, minute: number): Record<string, number> {
  const add: Record<string, number> = {};
  for (const name of COUNT_NAMES) {
    if (figures.counts[name] !== 0) add[COUNT_ATTRIBUTES[name]] = figures.counts[name];
  }
  for (const [code, count] of Object.entries(figures.failed)) {
    const name = `${FAILED}${LEGAL_CODE.test(code) ? code : OTHER_CODE}`;
    add[name] = (add[name] ?? 0) + count;
  }
  for (const stage of LATENCY_STAGES) {
    for (const [bucket, count] of Object.entries(figures.latencies[stage])) {
      add[`${STAGE_ATTRIBUTES[stage]}${bucket}`] = count;
    }
  }
  for (const [sourceMinute, count] of Object.entries(figures.sourceMinutes)) {
    const age = minute - Number(sourceMinute);
    if (age >= 0 && age <= MAX_SOURCE_MINUTES) add[`m${age}`] = count;
  }
  return add;
}

/** The figures of an item. @param minute - of a minute's item; of others source minutes mean nothing */
export function figuresOf(item: Item, minute?: number): Figures {
  const figures = newFigures();
  for (const name of COUNT_NAMES) figures.counts[name] = Number(item[COUNT_ATTRIBUTES[name]] ?? 0);
  for (const [name, value] of Object.entries(item)) {
    const count = Number(value);
    const [, letter, bucket] = BUCKET.exec(name) ?? [];
    const stage = letter === undefined ? undefined : STAGE_OF.get(letter);
    const [, age] = SOURCE_MINUTE.exec(name) ?? [];
    if (stage !== undefined) figures.latencies[stage][Number(bucket)] = count;
    else if (name.startsWith(FAILED) && count !== 0) figures.failed[name.slice(FAILED.length)] = count;
    else if (age !== undefined && minute !== undefined) figures.sourceMinutes[minute - Number(age)] = count;
  }
  if (Array.isArray(item[ERRORS])) figures.errors = lastErrors(item[ERRORS].map(errorOf));
  return figures;
}

/** Written by this folder only, which keeps the types. */
function errorOf(kept: unknown): MessageError {
  return kept as MessageError;
}

/** Far beyond any minute, and of as many digits. */
export const LAST_MINUTE = 99_999_999;
export const LAST_LANE = 99;

/** Partition of all that is kept of one task's figures. */
export const partitionOf = (taskId: string) => `FIGURES#${taskId}`;
export const totalsKey = (taskId: string): Key => ({ PK: partitionOf(taskId), SK: 'TOTALS' });
export const minuteSk = (minute: number) => `M#${padded(minute)}`;
export const hourSk = (minute: number) => `H#${padded(minute)}`;
export const witnessSk = (minute: number, lane: number) =>
  `W#${padded(minute)}#${String(lane).padStart(2, '0')}`;
const padded = (minute: number) => String(Math.max(0, minute)).padStart(8, '0');
export const minuteOfSk = ({ SK }: Item) => Number(String(SK).split('#')[1]);
export const hourOf = (minute: number) => minute - (minute % MINUTES_OF_AN_HOUR);

export function expiryOf(minute: number, lifetimeSeconds: number): number {
  return startOfMinuteMs(minute) / 1_000 + lifetimeSeconds;
}
