import { describe, expect, it } from '@jest/globals';
import {
  describeFaultRows,
  describeMemory,
  describeSeen,
  mergeSeen,
  type Seen,
} from '../../faults/document.ts';
import { memoryRowOf } from '../../faults/memory-watch.ts';
import { faultRow } from './rows.ts';

const AT = new Date('2026-11-29T12:00:00Z');

const MEMORY = memoryRowOf(
  'mqtt-killed',
  'pull',
  Array.from({ length: 120 }, (_, index) => ({ pid: 7, atMs: index * 5_000, residentMb: 120, handles: 30 })),
);

const SEEN: Seen = {
  rows: [faultRow(), faultRow({ pair: 'rocketmq → mqtt', lost: 2, missed: ['2 lost'] })],
  memory: [MEMORY],
  faults: [
    {
      name: 'mqtt-killed',
      what: 'the MQTT broker is killed',
      lastsMs: 20_000,
      degrades: [],
      begin: async () => async () => undefined,
    },
  ],
  outages: [
    { who: 'mqferry, rule path', isPeer: false, sent: 2_246, arrived: 2_246, lost: 0, duplicates: 5 },
  ],
  machine: '2 processors',
};

describe('describeSeen', () => {
  it('says when and where of each fault, and which pairs went slower', () => {
    const rows = [faultRow({ perSecond: 500 }), faultRow({ perSecond: 100, pair: 'rocketmq → aws-iot' })];
    expect(describeSeen({ ...SEEN, rows }, AT)).toContain(
      '500 messages a second on each pair, but for rocketmq → aws-iot 100: the emulator takes no more. Seen on 2026-11-29, 2 processors.\n',
    );
  });

  it('leaves out faults without rows', () => {
    expect(describeSeen({ ...SEEN, rows: [], outages: [] }, AT)).toBe('');
  });

  it('has each row with its bars, each missed promise, memory and the peers', () => {
    const text = describeSeen(SEEN, AT);
    expect(text).toContain(
      '### mqtt-killed\n\nThe MQTT broker is killed; 100 messages a second on each pair. Seen on 2026-11-29, 2 processors.',
    );
    expect(text).toContain(
      '| mqtt → rocketmq | 2246 | 2246 | 0 | 0 | 0 | 3 | 0 | 0 | 0 | 1.2 s | 0.8 s (≤ 5.0 s) | – | 2.5 s | running; 1.3 s TARGET_UNREACHABLE; 21.0 s running |',
    );
    expect(text).toContain('- **missed**, rocketmq → mqtt: 2 lost');
    expect(text).toContain('| pull shift | 495.0 s | 120 to 120 MiB | 0.00 MiB | 30 to 30 |');
    expect(text).toContain('| mqferry, rule path | 2246 | 2246 | 0 | 5 |');
  });

  it('gives every table as many cells in each line as it has heads', () => {
    const tables = describeSeen(SEEN, AT).split(/\n(?!\|)/);
    const lines = tables.map((table) => table.split('\n').filter((line) => line.startsWith('|')));
    for (const [heads, ...rest] of lines.filter(({ length }) => length > 0)) {
      for (const line of rest) expect(line.split(' | ')).toHaveLength(heads?.split(' | ').length ?? 0);
    }
    expect(lines.filter(({ length }) => length > 0)).toHaveLength(3);
  });
});

describe('mergeSeen', () => {
  const ORDER = ['killed', 'hangs', 'throttled'];

  it('puts what was seen in the place of what was seen before, in order, and keeps the rest', () => {
    const before =
      '### Beside a peer\n\npeers\n\n### gone\n\nold\n\n### throttled\n\nold\n\n### killed\n\nold';
    expect(mergeSeen(before, '### hangs\n\nnew\n\n### killed\n\nnew', ORDER)).toBe(
      '### Beside a peer\n\npeers\n\n### killed\n\nnew\n\n### hangs\n\nnew\n\n### throttled\n\nold',
    );
  });

  it('begins with nothing', () => {
    expect(mergeSeen('', '### hangs\n\nnew', ORDER)).toBe('### hangs\n\nnew');
    expect(mergeSeen('', '', ORDER)).toBe('');
  });
});

describe('describeFaultRows, describeMemory', () => {
  it('say what was missed, and that the rest is well', () => {
    const lines = describeFaultRows(SEEN.rows).split('\n');
    expect(lines[0]).toBe('mqtt-killed, 100 messages a second on each pair');
    expect(lines.at(-2)).toMatch(/ok$/);
    expect(lines.at(-1)).toMatch(/2 lost$/);
    expect(describeMemory([MEMORY])).toMatch(/ok$/);
    expect(describeMemory([])).toBe('');
  });
});
