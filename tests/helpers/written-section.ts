import { readFile, writeFile } from 'node:fs/promises';

/** Between these two lines a part of a document is a suite's. */
const beginOf = (suite: string) => `<!-- written by npm run ${suite} -->`;
const END = '<!-- end -->';

/** The text around the suite's part, with its marks, and that part. Throws when the document has no place for it, or several. */
function partsOf(text: string, suite: string): { before: string; written: string; after: string } {
  const begin = beginOf(suite);
  const [before, rest, ...more] = text.split(begin);
  const end = rest?.indexOf(END) ?? -1;
  if (before === undefined || rest === undefined || more.length > 0 || end < 0) {
    throw new Error(`the document has no place for what npm run ${suite} writes`);
  }
  return { before: before + begin, written: rest.slice(0, end).trim(), after: rest.slice(end) };
}

/** The text with this in the place of what the suite wrote before. Throws when the document has no place for it. */
export function withSection(text: string, suite: string, written: string): string {
  const { before, after } = partsOf(text, suite);
  return `${before}\n${written}\n${after}`;
}

/** What the suite wrote before. Throws when the document has no place for it. */
export const sectionOf = (text: string, suite: string): string => partsOf(text, suite).written;

/** Writes what a suite has seen into a document, at its place. */
export async function writeSection(file: string, suite: string, written: string): Promise<void> {
  await writeFile(file, withSection(await readFile(file, 'utf8'), suite, written));
}

/** Lines of a table in Markdown. */
export function markdownTable(heads: readonly string[], lines: readonly (readonly string[])[]): string[] {
  return [heads, heads.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
}
