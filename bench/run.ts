/**
 * `npm run bench [-- names] [--messages n] [--rounds n]`: speed on the real parts, beside peers in the same run. Prints a table;
 * fails when a message is lost or a bar is missed.
 */

import { parseArgs } from 'node:util';
import { isMet, type Row, tableOf } from './measure/row.ts';
import { benchBatch } from './parts/batch.ts';
import { benchFifo } from './parts/fifo.ts';
import { benchLatency } from './parts/latency.ts';
import { type BenchOptions, DEFAULTS } from './parts/options.ts';
import { benchPull } from './parts/pull.ts';
import { benchSession } from './parts/session.ts';

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<Row[]>>> = {
  batch: benchBatch,
  session: benchSession,
  pull: benchPull,
  fifo: benchFifo,
  latency: benchLatency,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    messages: { type: 'string', default: `${DEFAULTS.messages}` },
    rounds: { type: 'string', default: `${DEFAULTS.rounds}` },
  },
});
const options = { messages: wholeNumber(values.messages), rounds: wholeNumber(values.rounds) };
const names = positionals.length === 0 ? Object.keys(BENCHES) : positionals;
const unknown = names.filter((name) => BENCHES[name] === undefined);
if (unknown.length > 0) fail(`no bench is called ${unknown.join(', ')}: ${Object.keys(BENCHES).join(' ')}`);

// Parts are processes of their own; they end with this one, but only where it exits by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const rows: Row[] = [];
for (const name of names) {
  console.log(`\n${name}`);
  rows.push(...((await BENCHES[name]?.(options)) ?? []));
}
console.log(`\n${tableOf(rows)}`);
if (!rows.every(isMet)) process.exitCode = 1;

function wholeNumber(text: string): number {
  return /^[1-9]\d*$/.test(text) ? Number(text) : fail(`${text} is no number of messages or rounds`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
