import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { GRPC_STATUSES, ROCKETMQ_STATUSES } from '../../../../lib/domain/errors/error-table.ts';
import { ERRORS_DOC, withErrorTables } from '../../../../tools/errors-doc.ts';

/*
 * How codes are found: by their form. Whatever stands in lib/ as a string literal of upper snake case with an underscore is
 * taken for a code, however it becomes one (a member, an argument, a constant), unless it is listed below as something
 * else. So a new way of making errors cannot slip by. Codes of one word look like other words; they are found where one is
 * named as such: `code: 'X'` and `new RequestError(500, 'X'`. A template with such a head (`TARGET_STATUS_${…}`) is
 * documented with an ellipsis. lib/config is left out: its literals are names of environment variables.
 */
const root = path.join(import.meta.dirname, '../../../..');
const sources = globSync('lib/**/*.ts', { cwd: root })
  .filter((file) => !file.startsWith(path.join('lib', 'config')))
  .map((file) => readFileSync(path.join(root, file), 'utf8'));
const document = readFileSync(path.join(root, ERRORS_DOC), 'utf8');

const WORD = '[A-Z][A-Z0-9]*';
const CODE_LITERAL = new RegExp(`'(${WORD}(?:_${WORD})+)'`, 'g');
const ONE_WORD = new RegExp(`(?:\\bcode: |new RequestError\\(\\s*\\d+,\\s*)'(${WORD})'`, 'g');
const CODE_HEAD = new RegExp(`\`((?:${WORD}_)+)\\$\\{`, 'g');
const DOCUMENTED = new RegExp(`\`(${WORD}(?:_${WORD})*(?:_…)?)\``, 'g');

/** Upper snake case that is no code of ours. */
const NO_CODES: Readonly<Record<string, readonly string[]>> = {
  'format indicator of AWS IoT': ['UTF8_DATA', 'UNSPECIFIED_BYTES'],
  'what DynamoDB is to return': ['ALL_NEW', 'ALL_OLD'],
  'error code of Node': ['EAI_AGAIN'],
  'tag and property of apache/rocketmq-mqtt': ['MQTT_COMMON', 'IS_EMPTY_MSG'],
  'message type of RocketMQ': ['MESSAGE_TYPE_UNSPECIFIED'],
  'word of the administration of RocketMQ': ['SINGLE_TAG'],
  'system groups of RocketMQ': [
    'CID_ONSAPI_OWNER',
    'CID_ONSAPI_PERMISSION',
    'CID_ONSAPI_PULL',
    'CLIENT_INNER_PRODUCER',
    'DEFAULT_CONSUMER',
    'DEFAULT_PRODUCER',
    'FILTERSRV_CONSUMER',
    'SCHEDULE_CONSUMER',
    'SELF_TEST_C_GROUP',
    'SELF_TEST_P_GROUP',
    'TOOLS_CONSUMER',
  ],
  'system topics of RocketMQ': [
    'CHECKPOINT_TOPIC',
    'OFFSET_MOVED_EVENT',
    'RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC',
    'RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC',
    'RMQ_SYS_TRACE_TOPIC',
    'RMQ_SYS_TRANS_HALF_TOPIC',
    'RMQ_SYS_TRANS_OP_HALF_TOPIC',
    'SCHEDULE_TOPIC_XXXX',
    'SELF_TEST_TOPIC',
    'TRANS_CHECK_MAX_TIME_TOPIC',
  ],
};
/** Upper-case words that the document has in code type, and that are no codes. */
const OTHER_WORDS: readonly string[] = ['UNKNOWN'];

const literals = found(CODE_LITERAL);
const exempt = Object.values(NO_CODES).flat();
const codes = new Set([
  ...[...literals].filter((literal) => !exempt.includes(literal)),
  ...found(ONE_WORD),
  ...[...found(CODE_HEAD)].map((head) => `${head}…`),
  ...[...ROCKETMQ_STATUSES, ...GRPC_STATUSES].map(({ code }) => code),
]);
const documented = new Set([...document.matchAll(DOCUMENTED)].map(([, code]) => code ?? ''));

describe('docs/errors.md', () => {
  it('has the tables that the error table makes now (npm run docs:errors)', () => {
    expect(document).toBe(withErrorTables(document));
  });

  it('names every code of lib/', () => {
    expect([...codes].filter((code) => !documented.has(code))).toEqual([]);
  });

  it('names no code that lib/ does not have', () => {
    expect([...documented].filter((code) => !codes.has(code) && !OTHER_WORDS.includes(code))).toEqual([]);
  });

  it('is compared with codes made in each known way', () => {
    const ways = {
      'a member': 'TOPIC_FILTER_NOT_ALLOWED',
      'an argument': 'RULE_QUOTA_REACHED',
      'an argument on a line of its own': 'VERSION_MISMATCH',
      'a constant': 'TOPIC_FILTERS_OVERLAP',
      'an event': 'TASK_EDITED',
      'one word': 'INTERNAL',
      'a row of the error table': 'TARGET_STORED_UNSAFE',
      'a template': 'TARGET_STATUS_…',
    };
    expect(Object.entries(ways).filter(([, code]) => !codes.has(code))).toEqual([]);
  });

  it('leaves nothing out that lib/ no longer has', () => {
    expect(exempt.filter((literal) => !literals.has(literal))).toEqual([]);
  });
});

describe('withErrorTables', () => {
  const markers = ['target codes', 'target statuses'].map(
    (name) => `<!-- generated: ${name} -->\nstale text\n<!-- end: ${name} -->`,
  );

  it('replaces what stands between the markers and nothing else', () => {
    const made = withErrorTables(`before\n${markers.join('\nbetween\n')}\nafter\n`);
    expect(made).toMatch(/^before\n<!-- generated: target codes -->\n\| code /);
    expect(made).toMatch(
      /<!-- end: target codes -->\nbetween\n<!-- generated: target statuses -->\n\| status /,
    );
    expect(made).toMatch(/<!-- end: target statuses -->\nafter\n$/);
    expect(made).not.toContain('stale text');
    expect(withErrorTables(made)).toBe(made);
  });

  it.each([
    ['is missing', `${markers[0]}`],
    ['has no end', `${markers[0]}\n<!-- generated: target statuses -->`],
    ['is there twice', [...markers, markers[0]].join('\n')],
  ])('refuses a document in which a pair of markers %s', (_, text) => {
    expect(() => withErrorTables(text)).toThrow(/once each/);
  });
});

function found(pattern: RegExp): Set<string> {
  return new Set(sources.flatMap((source) => [...source.matchAll(pattern)].map(([, text]) => text ?? '')));
}
