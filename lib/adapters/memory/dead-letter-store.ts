import type { DeadLetter } from '../../domain/dead-letter.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import { byKey, pageOf } from './page.ts';

const idOf = ({ deadLetterId }: Pick<DeadLetter, 'deadLetterId'>): string => deadLetterId;

/** The dead-letter store in memory, for tests. */
export function createMemoryDeadLetterStore(): DeadLetterStore {
  const byTask = new Map<string, Map<string, DeadLetter>>();
  return {
    async put(deadLetter) {
      const ofTask = byTask.get(deadLetter.taskId) ?? new Map<string, DeadLetter>();
      byTask.set(deadLetter.taskId, ofTask);
      if (!ofTask.has(deadLetter.deadLetterId)) ofTask.set(deadLetter.deadLetterId, { ...deadLetter });
    },
    async get(taskId, deadLetterId) {
      const found = byTask.get(taskId)?.get(deadLetterId);
      return found && { ...found };
    },
    async list(taskId, page) {
      const heads = [...(byTask.get(taskId)?.values() ?? [])].map(({ body: _, ...head }) => head);
      return pageOf(`dead-letters/${taskId}`, heads.sort(byKey(idOf)).reverse(), idOf, page, true);
    },
  };
}
