import { AWS_IOT_ERRORS } from '../lib/domain/errors/aws-iot-error-table.ts';
import {
  type ErrorRow,
  errorOfRow,
  GRPC_STATUSES,
  ROCKETMQ_STATUSES,
} from '../lib/domain/errors/error-table.ts';
import type { BridgeError } from '../lib/domain/errors/errors.ts';
import {
  MQTT_311_CONNACK_CODES,
  MQTT_CONNACK_CODES,
  MQTT_CONNECTION_ERRORS,
  MQTT_DISCONNECT_CODES,
  MQTT_PUBLISH_CODES,
  MQTT_SUBSCRIBE_CODES,
} from '../lib/domain/errors/mqtt-error-table.ts';

/** Document whose tables are made here, from the repository's root. */
export const ERRORS_DOC = 'docs/errors.md';

interface Source {
  name: string;
  rows: readonly ErrorRow[];
  /** As the specification writes its numbers. */
  isHexadecimal?: boolean;
}

const SOURCES: readonly Source[] = [
  { name: 'RocketMQ', rows: ROCKETMQ_STATUSES },
  { name: 'gRPC', rows: GRPC_STATUSES },
  { name: 'MQTT 5 CONNACK', rows: MQTT_CONNACK_CODES, isHexadecimal: true },
  { name: 'MQTT 3.1.1 CONNACK', rows: MQTT_311_CONNACK_CODES },
  { name: 'MQTT PUBACK, PUBREC', rows: MQTT_PUBLISH_CODES, isHexadecimal: true },
  { name: 'MQTT SUBACK', rows: MQTT_SUBSCRIBE_CODES, isHexadecimal: true },
  { name: 'MQTT DISCONNECT', rows: MQTT_DISCONNECT_CODES, isHexadecimal: true },
  { name: 'MQTT connection', rows: MQTT_CONNECTION_ERRORS },
  { name: 'AWS IoT', rows: AWS_IOT_ERRORS },
];

/**
 * The document with its generated tables as the error table has them now. Throws when a pair of markers is missing.
 *
 * @param document - Markdown with `<!-- generated: <name> -->` and `<!-- end: <name> -->` on lines of their own
 */
export function withErrorTables(document: string): string {
  return [
    ['target codes', codesTable()],
    ['target statuses', statusesTable()],
  ].reduce((text, [name = '', table = '']) => replaced(text, name, table), document);
}

function replaced(document: string, name: string, table: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
  const [before, rest, ...more] = document.split(begin);
  const [, after, ...others] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined || more.length + others.length > 0) {
    throw new Error(`the document needs "${begin}" and "${end}" once each, in this order`);
  }
  return `${before}${begin}\n${table}\n${end}${after}`;
}

/** One line per code: how it is met, and what to do. */
function codesTable(): string {
  const byCode = Map.groupBy(
    SOURCES.flatMap(({ rows }) => rows),
    ({ code }) => code,
  );
  const lines = [...byCode].sort(byName).map(([code, rows]) => {
    const errors = rows.map((row) => errorOfRow(row, ''));
    const then = distinct(errors.map(reactionOf));
    const hints = distinct(
      rows.map(({ hint }) => hint ?? ''),
      ' ',
    );
    return [`\`${code}\``, distinct(rows.map(({ meaning }) => meaning)), then, hints];
  });
  return table(['code', 'when', 'then', 'what to do'], lines);
}

/** One line per row of the table, in its order: the first that fits counts. */
function statusesTable(): string {
  const lines = SOURCES.flatMap(({ name, rows, isHexadecimal }) =>
    rows.map(({ status, text, code, maybeStored }) => [
      `${name} ${isHexadecimal === true ? hexadecimal(status) : status}`,
      text === undefined ? '' : `\`${text.source.replaceAll('|', '\\|')}\``,
      `\`${code}\``,
      maybeStored === true ? 'maybe' : '',
    ]),
  );
  return table(['status', 'and its text matches', 'code', 'stored?'], lines);
}

function hexadecimal(status: number | string): string {
  return `0x${status.toString(16).padStart(2, '0').toUpperCase()}`;
}

function reactionOf({ reaction, scope, waitMs }: BridgeError): string {
  const wait = waitMs === undefined ? '' : ` after ${waitMs} ms`;
  return reaction === 'hold' ? `hold (${scope})` : `${reaction}${wait}`;
}

function distinct(texts: readonly string[], separator = '; '): string {
  return [...new Set(texts)].filter((text) => text !== '').join(separator);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell || '–').join(' | ')} |`;
  return [row(heads), row(heads.map(() => '---')), ...lines.map(row)].join('\n');
}
