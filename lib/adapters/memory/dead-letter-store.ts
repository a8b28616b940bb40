import type { DeadLetter } from '../../domain/dead-letters/dead-letter.ts';
import { deadLetterIdsOf, deadLetterListOf } from '../../domain/dead-letters/dead-letter-range.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import { byKey, pageOf } from './page.ts';

const idOf = ({ deadLetterId }: Pick<DeadLetter, 'deadLetterId'>): string => deadLetterId;

/** The dead-letter store in memory, for tests. */
export function createMemoryDeadLetterStore(): DeadLetterStore {
  const byTask = new Map<string, Map<string, DeadLetter>>();
  const lettersOf = (taskId: string, code?: string) =>
    [...(byTask.get(taskId)?.values() ?? [])]
      .filter((letter) => code === undefined || letter.code === code)
      .sort(byKey(idOf));

  return {
    async put(deadLetter) {
      const ofTask = byTask.get(deadLetter.taskId) ?? new Map<string, DeadLetter>();
      byTask.set(deadLetter.taskId, ofTask);
      if (ofTask.has(deadLetter.deadLetterId)) return 'known';
      ofTask.set(deadLetter.deadLetterId, { ...deadLetter });
      return 'new';
    },
    async get(taskId, deadLetterId) {
      const found = byTask.get(taskId)?.get(deadLetterId);
      return found && { ...found };
    },
    async list(taskId, { code, fromMs, toMs, ...page }) {
      const range = { ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) };
      const { least, greatest } = deadLetterIdsOf(range);
      const heads = lettersOf(taskId, code)
        .filter(({ deadLetterId }) => deadLetterId >= least && deadLetterId <= greatest)
        .map(({ body: _, ...head }) => head);
      const list = deadLetterListOf(taskId, { ...range, ...(code !== undefined && { code }) });
      return pageOf(list, heads.reverse(), idOf, page, true);
    },
    async read(taskId, { afterId = '', code, limit }) {
      const items = lettersOf(taskId, code)
        .filter((letter) => idOf(letter) > afterId)
        .slice(0, limit);
      const last = items.at(-1);
      return { items: structuredClone(items), ...(last === undefined ? {} : { throughId: idOf(last) }) };
    },
    async failedAgain(taskId, deadLetterId, failed) {
      const letter = byTask.get(taskId)?.get(deadLetterId);
      if (letter === undefined) return;
      const { attempts, redrives = 0 } = letter;
      delete letter.tries;
      delete letter.lastCode;
      Object.assign(letter, failed, { attempts: attempts + 1, redrives: redrives + 1 });
    },
    async remove(taskId, deadLetterId) {
      byTask.get(taskId)?.delete(deadLetterId);
    },
    async summary(taskId) {
      const letters = lettersOf(taskId);
      const byCode: Record<string, number> = {};
      for (const { code } of letters) byCode[code] = (byCode[code] ?? 0) + 1;
      const oldest = letters.reduce((least, one) => Math.min(least, one.firstSeenAtMs), Number.MAX_VALUE);
      return { byCode, ...(letters.length === 0 ? {} : { oldestSeenAtMs: oldest }), isPartial: false };
    },
  };
}
