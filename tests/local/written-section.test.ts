import { describe, expect, it } from '@jest/globals';
import { markdownTable, withSection } from '../helpers/written-section.ts';

const BEGIN = '<!-- written by npm run faults -->';
const OTHER = '<!-- written by npm run soak -->';
const END = '<!-- end -->';

describe('withSection', () => {
  it('writes between the marks of its suite, and nowhere else', () => {
    const text = `# Title\n\n${OTHER}\ntheirs\n${END}\n\n${BEGIN}\nold\n${END}\n\nMore.\n`;
    const once = withSection(text, 'faults', 'new');
    expect(once).toBe(text.replace('old', 'new'));
    expect(withSection(once, 'faults', 'new')).toBe(once);
    expect(withSection(once, 'soak', 'ours')).toBe(once.replace('theirs', 'ours'));
  });

  it('refuses a document that has no place for it, or more than one', () => {
    for (const text of ['# Title', `# Title\n${BEGIN}\n`, `${BEGIN}\n${END}\n${BEGIN}\n${END}`]) {
      expect(() => withSection(text, 'faults', 'new')).toThrow('no place');
    }
  });
});

describe('markdownTable', () => {
  it('has as many cells in each line as heads', () => {
    expect(markdownTable(['a', 'b'], [['1', '2']])).toEqual(['| a | b |', '| --- | --- |', '| 1 | 2 |']);
  });
});
