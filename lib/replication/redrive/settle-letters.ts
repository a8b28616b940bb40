import type { DeadLetter } from '../../domain/dead-letters/dead-letter.ts';
import type { DeadLetterJob } from '../../domain/dead-letters/dead-letter-job.ts';
import { type MessageError, messageError } from '../../domain/errors/message-errors.ts';
import { type Figures, isEmpty, newFigures } from '../../domain/figures/figures.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import { countCode } from '../figures/batch-counts.ts';
import type { BatchFigures } from '../figures/batch-figures.ts';
import type { LetterCarrier, LetterOutcome } from './letter-outcome.ts';

/** One batch may take so long: less than the time that a job is its worker's. */
const BATCH_MS = 35_000;
const CONCURRENT_WRITES = 16;
const FIGURES_MS = 2_500;

export interface SettlePorts {
  deadLetters: Pick<DeadLetterStore, 'failedAgain' | 'remove'>;
  figures: BatchFigures;
  clock: Pick<Clock, 'now'>;
}

/** A letter that was left, and why. */
export interface LeftLetter {
  deadLetterId: string;
  reason: { code: string; message: string };
}

/** Removes the letters, and counts them. */
export async function discardLetters(
  { taskId, counts }: DeadLetterJob,
  letters: readonly DeadLetter[],
  { deadLetters }: SettlePorts,
): Promise<void> {
  await forEachInFlight(letters, CONCURRENT_WRITES, async ({ deadLetterId }) => {
    await deadLetters.remove(taskId, deadLetterId);
    counts.discarded += 1;
  });
}

/**
 * Carries the letters, removes those whose message the target has taken, notes why others have failed again, and counts all of
 * them. Answers the first that was left, if any: it and those behind it are tried again.
 */
export async function redriveLetters(
  { taskId, counts }: DeadLetterJob,
  letters: readonly DeadLetter[],
  carrier: LetterCarrier,
  { deadLetters, figures, clock }: SettlePorts,
): Promise<LeftLetter | undefined> {
  // Nobody knows what the others are.
  const known = letters.filter(({ origin }) => origin !== 'unknown');
  counts.missing += letters.length - known.length;
  const deadlineMs = clock.now() + BATCH_MS;
  const outcomes = await carrier.carry(known, { deadlineMs });
  const settled = known.flatMap((letter, index) => {
    const outcome = outcomes[index];
    return outcome === undefined ? [] : [{ letter, outcome }];
  });

  await forEachInFlight(settled, CONCURRENT_WRITES, async ({ letter, outcome }) => {
    const { deadLetterId } = letter;
    switch (outcome.kind) {
      case 'carried':
        await deadLetters.remove(taskId, deadLetterId);
        counts.redriven += 1;
        return;
      case 'failed':
        await deadLetters.failedAgain(taskId, deadLetterId, failureOf(letter, outcome, clock.now()));
        counts.failed += 1;
        return;
      case 'skipped':
        counts.skipped += 1;
        return;
      case 'left':
    }
  });
  const counted = figuresOf(settled, clock.now());
  if (!isEmpty(counted)) await figures.record(taskId, counted, { deadlineMs: clock.now() + FIGURES_MS });
  for (const { letter, outcome } of settled) {
    if (outcome.kind !== 'left') continue;
    const { code, message } = outcome;
    return { deadLetterId: letter.deadLetterId, reason: { code, message } };
  }
  return undefined;
}

function failureOf(
  { version }: DeadLetter,
  { code, reason, targetTopic }: Extract<LetterOutcome, { kind: 'failed' }>,
  failedAtMs: number,
) {
  return { version, code, reason, failedAtMs, ...(targetTopic === undefined ? {} : { targetTopic }) };
}

/** From `failed` to `replicated`, in one write; how long that took says nothing of the task's latency. */
function figuresOf(
  settled: readonly { letter: DeadLetter; outcome: LetterOutcome }[],
  atMs: number,
): Figures {
  const figures = newFigures();
  for (const { letter, outcome } of settled) {
    if (outcome.kind !== 'carried' && outcome.kind !== 'failed') continue;
    countCode(figures.failed, letter.code, -1);
    if (outcome.kind === 'failed') {
      countCode(figures.failed, outcome.code);
      figures.errors = [...figures.errors, errorOf(letter, outcome, atMs)];
    } else {
      figures.counts.replicated += 1;
      figures.counts.redriven += 1;
    }
  }
  return figures;
}

function errorOf(
  { deadLetterId, sourceTopic }: DeadLetter,
  { code, reason, targetTopic }: Extract<LetterOutcome, { kind: 'failed' }>,
  atMs: number,
): MessageError {
  return messageError({
    atMs,
    code,
    reason,
    outcome: 'dead-letter',
    ...(sourceTopic === undefined ? {} : { sourceTopic }),
    ...(targetTopic === undefined ? {} : { targetTopic }),
    deadLetterId,
  });
}
