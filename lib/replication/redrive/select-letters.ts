import type { DeadLetter } from '../../domain/dead-letters/dead-letter.ts';
import type { DeadLetterJob } from '../../domain/dead-letters/dead-letter-job.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';

/** Letters of one batch: bodies of 200 KB at most, some larger ones beside. */
const MAX_BATCH = 50;
/** What a batch waits for its rate is part of the time that a job is its worker's. */
const MAX_SECONDS_OF_A_BATCH = 10;

/** The next letters that a job is about. */
export interface SelectedLetters {
  /** Ids that were looked at, in order: those of the letters, and of others. */
  looked: readonly string[];
  letters: readonly DeadLetter[];
  /** Were named, and are not there. */
  missing: number;
  /** The last id that was looked at; absent: there are no more. */
  throughId?: string;
}

/**
 * Reads on behind where the job is, in the order in which the messages were first seen. What was stored after the job was made
 * is not meant, nor what has failed since: that was tried by this job.
 */
export async function selectLetters(
  job: DeadLetterJob,
  deadLetters: Pick<DeadLetterStore, 'get' | 'read'>,
): Promise<SelectedLetters> {
  const { taskId, selection, throughId, createdAtMs } = job;
  const limit = Math.min(MAX_BATCH, job.maxMessagesPerSecond * MAX_SECONDS_OF_A_BATCH);
  const isMeant = ({ storedAtMs, failedAtMs }: DeadLetter) =>
    storedAtMs <= createdAtMs && failedAtMs <= createdAtMs;
  if ('ids' in selection) {
    const ids = [...new Set(selection.ids)].sort().filter((id) => throughId === undefined || id > throughId);
    const looked = ids.slice(0, limit);
    const found = await Promise.all(looked.map((id) => deadLetters.get(taskId, id)));
    const letters = found.filter((letter) => letter !== undefined);
    const missing = looked.length - letters.length;
    return { looked, letters: letters.filter(isMeant), missing, ...throughOf(looked.at(-1)) };
  }
  const batch = await deadLetters.read(taskId, {
    limit,
    ...(throughId === undefined ? {} : { afterId: throughId }),
    ...('code' in selection ? { code: selection.code } : {}),
  });
  return {
    looked: batch.items.map(({ deadLetterId }) => deadLetterId),
    letters: batch.items.filter(isMeant),
    missing: 0,
    ...throughOf(batch.throughId),
  };
}

function throughOf(throughId: string | undefined): Pick<SelectedLetters, 'throughId'> {
  return throughId === undefined ? {} : { throughId };
}
