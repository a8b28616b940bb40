import { z } from 'zod';
import { cursorInvalid } from './errors/request-errors.ts';

/** Longest cursor that is looked at; ours are far shorter. */
const MAX_LENGTH = 1024;

const Decoded = z.tuple([z.string(), z.string().min(1)]);

/**
 * An opaque cursor: where a list goes on. It names its list, so that the cursor of one list cannot read in another, and
 * holds only the sort key, so that no cursor can point outside its list.
 *
 * @param list - the list it belongs to, for example `tasks` or `events/01J…`
 * @param after - sort key of the last item seen
 */
export function encodeCursor(list: string, after: string): string {
  return Buffer.from(JSON.stringify([list, after])).toString('base64url');
}

/** The sort key in a cursor of this list. Throws `RequestError` 400 `CURSOR_INVALID` for anything else. */
export function decodeCursor(list: string, cursor: string): string {
  if (cursor.length > MAX_LENGTH) throw cursorInvalid();
  const decoded = Decoded.safeParse(parsed(Buffer.from(cursor, 'base64url').toString()));
  if (!decoded.success) throw cursorInvalid();
  const [cursorList, after] = decoded.data;
  // Node's decoder skips what is not base64url: only the exact spelling we gave is taken back.
  if (cursorList !== list || encodeCursor(list, after) !== cursor) throw cursorInvalid();
  return after;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
