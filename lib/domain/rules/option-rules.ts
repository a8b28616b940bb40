import type { FieldError } from '../errors/errors.ts';
import { TaskOptions } from '../tasks/task.ts';
import type { Warning } from './definition-check.ts';

/** By option, why a path does not have it, and what to do instead. */
export type ForeignOptions = Readonly<Partial<Record<keyof TaskOptions, string>>>;

/** What an option is when nobody has set it. */
export const DEFAULT_OPTIONS: TaskOptions = TaskOptions.parse({});

/**
 * Refuses options that a path does not have: who sets one expects something of it, so it is not ignored. An option that has its
 * default counts as not set. Code `NOT_ON_THIS_PATH`.
 */
export function checkForeignOptions(options: TaskOptions, foreign: ForeignOptions): FieldError[] {
  return Object.entries(foreign)
    .filter(([option]) => {
      const name = option as keyof TaskOptions;
      return options[name] !== DEFAULT_OPTIONS[name];
    })
    .map(([option, message]) => notOnThisPath(`options.${option}`, message));
}

export function notOnThisPath(field: string, message: string): FieldError {
  return { field, code: 'NOT_ON_THIS_PATH', message };
}

/** An option that a path has no use for, and that promises nothing but speed: it does no harm. */
export function withoutEffect(option: string, message: string): Warning {
  return { field: `options.${option}`, code: 'OPTION_WITHOUT_EFFECT', message };
}

/** What a pause does to messages, where it does not simply keep them. */
export function discardWarnings({ whilePaused }: TaskOptions): Warning[] {
  if (whilePaused !== 'discard') return [];
  return [
    {
      field: 'options.whilePaused',
      code: 'DISCARDS_WHILE_PAUSED',
      message:
        'what is published while the task is paused is not replicated, now or later: "buffer" keeps it up to 14 days',
    },
  ];
}
