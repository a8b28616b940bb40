import { describe, expect, it } from '@jest/globals';
import type { UserProperty } from '../../../lib/domain/messages/message.ts';
import { putProvenance, readProvenance, takePath } from '../../../lib/mapping/provenance.ts';

describe('putProvenance', () => {
  it('writes a way that readProvenance reads, with the present task at its end', () => {
    const properties = new Map<string, string>();
    const times = { sourceTimeMs: 1, receiptTimeMs: 2, sendTimeMs: 3 };
    putProvenance(properties, { messageId: 'm', path: ['A', 'B'], ...times }, 'C');
    expect(properties.get('mqferry_path')).toBe('A,B,C');
    expect(readProvenance(properties)).toEqual({ messageId: 'm', path: ['A', 'B', 'C'], ...times });
  });
});

describe('the mark of being sent again', () => {
  const provenance = { messageId: 'm', path: [], receiptTimeMs: 2, sendTimeMs: 3, isResent: true };

  it('is read as it was written, and not there otherwise', () => {
    const properties = new Map<string, string>();
    putProvenance(properties, provenance, 'C');
    expect(properties.get('mqferry_resent')).toBe('1');
    expect(readProvenance(properties)).toEqual({ ...provenance, path: ['C'] });
    const usual = new Map<string, string>();
    putProvenance(usual, { ...provenance, isResent: false }, 'C');
    expect(usual.has('mqferry_resent')).toBe(false);
  });

  it('is taken off with that of a redriven one, at the very end only', () => {
    const device: UserProperty = ['mqferry_resent', 'a device says so'];
    const marks = new Map<string, string>();
    putProvenance(marks, { ...provenance, redriven: 'letter' }, 'C');
    expect(takePath([device, ['x', 'y'], ...marks])).toEqual({
      path: ['C'],
      userProperties: [device, ['x', 'y']],
    });
    expect(takePath([device, ...marks, ['x', 'y']]).userProperties).toEqual([
      device,
      ['mqferry_redriven', 'letter'],
      ['mqferry_resent', '1'],
      ['x', 'y'],
    ]);
  });
});

describe('readProvenance', () => {
  it('knows nothing of a message that never came through mqferry', () => {
    expect(readProvenance(new Map([['site', 'berlin']]))).toEqual({ path: [] });
  });

  it('refuses a time that is none', () => {
    expect(() => readProvenance(new Map([['mqferry_source_time', 'noon']]))).toThrow('mqferry_source_time');
  });
});

describe('takePath', () => {
  it('joins several paths, as a broker or a careless client may leave them', () => {
    expect(
      takePath([
        ['mqferry_path', 'A'],
        ['x', 'y'],
        ['mqferry_path', 'B,C'],
      ]),
    ).toEqual({
      path: ['A', 'B', 'C'],
      userProperties: [['x', 'y']],
    });
  });

  it.each(['', 'A,', 'A B', 'A,,B', 'x'.repeat(65)])(
    'leaves a property that is no path of ours: %j',
    (value) => {
      const userProperties: UserProperty[] = [
        ['mqferry_path', value],
        ['mqferry_id', '7'],
      ];
      expect(takePath(userProperties)).toEqual({ path: [], userProperties });
    },
  );
});
