import { encodeTime } from 'ulid';

const TIME_LENGTH = 10;
const RANDOM_LENGTH = 16;
/** The last time that a ULID can say. */
const MAX_TIME_MS = 2 ** 48 - 1;

/** When messages were first seen: from this time on, and before that one, epoch ms; absent: without a bound. */
export interface SeenRange {
  fromMs?: number;
  toMs?: number;
}

/** The least and the greatest id that a dead letter of the range can have: ids begin with the time. */
export function deadLetterIdsOf({ fromMs = 0, toMs = MAX_TIME_MS + 1 }: SeenRange): {
  least: string;
  greatest: string;
} {
  const timeOf = (ms: number) => encodeTime(Math.min(Math.max(0, ms), MAX_TIME_MS), TIME_LENGTH);
  return {
    least: timeOf(fromMs) + '0'.repeat(RANDOM_LENGTH),
    greatest: timeOf(toMs - 1) + 'Z'.repeat(RANDOM_LENGTH),
  };
}

/** Nothing can be in it; DynamoDB takes no such range. */
export function isEmptyRange(range: SeenRange): boolean {
  const { least, greatest } = deadLetterIdsOf(range);
  return least > greatest;
}

/** Name of the list of these dead letters: a cursor is good for one list only. */
export function deadLetterListOf(
  taskId: string,
  { code = '', fromMs = '', toMs = '' }: { code?: string; fromMs?: number | ''; toMs?: number | '' },
): string {
  const reason = code === '' ? '' : `/${code}`;
  const range = fromMs === '' && toMs === '' ? '' : `@${fromMs}-${toMs}`;
  return `dead-letters/${taskId}${reason}${range}`;
}
