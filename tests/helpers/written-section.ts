import { readFile, writeFile } from 'node:fs/promises';

/** Between these two lines a part of a document is a suite's. */
const beginOf = (suite: string) => `<!-- written by npm run ${suite} -->`;
const END = '<!-- end -->';

/** The text with this in the place of what the suite wrote before. Throws when the document has no place for it. */
export function withSection(text: string, suite: string, written: string): string {
  const begin = beginOf(suite);
  const [before, rest, ...more] = text.split(begin);
  const end = rest?.indexOf(END) ?? -1;
  if (before === undefined || rest === undefined || more.length > 0 || end < 0) {
    throw new Error(`the document has no place for what npm run ${suite} writes`);
  }
  return `${before}${begin}\n${written}\n${rest.slice(end)}`;
}

/** What the suite wrote before. Throws when the document has no place for it. */
export function sectionOf(text: string, suite: string): string {
  const begin = beginOf(suite);
  const start = text.indexOf(begin);
  const end = text.indexOf(END, start);
  if (start < 0 || end < 0) throw new Error(`the document has no place for what npm run ${suite} writes`);
  return text.slice(start + begin.length, end).trim();
}

/** Writes what a suite has seen into a document, at its place. */
export async function writeSection(file: string, suite: string, written: string): Promise<void> {
  await writeFile(file, withSection(await readFile(file, 'utf8'), suite, written));
}

/** Lines of a table in Markdown. */
export function markdownTable(heads: readonly string[], lines: readonly (readonly string[])[]): string[] {
  return [heads, heads.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
}
