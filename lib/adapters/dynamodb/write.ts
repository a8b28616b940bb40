import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
  TransactionInProgressException,
} from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DeleteCommandInput,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { storeBusy } from '../../domain/errors/request-errors.ts';
import type { Item, Table } from './table.ts';

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];
type Unnamed<Kind extends keyof TransactItem> = Omit<NonNullable<TransactItem[Kind]>, 'TableName'>;

/** A write or check of one item, without the table's name. */
export type StepItem =
  | { Put: Unnamed<'Put'> }
  | { Update: Unnamed<'Update'> }
  | { Delete: Unnamed<'Delete'> }
  | { ConditionCheck: Unnamed<'ConditionCheck'> };

/** The item as it was when a condition did not hold; undefined: there was none. Scalars only. */
export type Found = Item | undefined;

/** One write of a transaction, and what it means when its condition does not hold. */
export interface Step {
  item: StepItem;
  /** The error to throw; undefined: others changed the item, so read again and decide again. */
  refusal?: (found: Found) => Error | undefined;
}

/** Conflicts of one write that are waited out, and the waits between: about 4 s in all, within an API call's time. */
const MAX_ATTEMPTS = 12;
const FIRST_WAIT_MS = 15;
const LONGEST_WAIT_MS = 600;
/** How often a change is decided anew because its grounds had changed. */
const MAX_DECISIONS = 12;
/** Reasons of a cancellation that pass by themselves. */
const PASSING = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/**
 * Writes all steps or none. The first step whose condition did not hold decides: its refusal is thrown, without one the
 * answer is `stale`. Throws `RequestError` 503 `STORE_BUSY` when conflicts do not end.
 */
export async function transact(table: Table, steps: readonly Step[]): Promise<'done' | 'stale'> {
  return retryingConflicts(table, async () => {
    try {
      await table.documents.send(
        new TransactWriteCommand({
          TransactItems: steps.map(({ item }) => withFound(item, table.tableName)),
          // One token per attempt: the SDK repeats a lost request with it, a cancelled attempt left nothing behind.
          ClientRequestToken: randomUUID(),
        }),
      );
      return 'done';
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      return judged(error, steps);
    }
  });
}

/** A conditional update of one item; answers the item as it is now, or what was found where the condition did not hold. */
export async function update(
  table: Table,
  input: Omit<UpdateCommandInput, 'TableName'>,
): Promise<{ ok: true; item: Item } | { ok: false; found: Found }> {
  const command = new UpdateCommand({
    ...input,
    TableName: table.tableName,
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  return retryingConflicts(table, () =>
    unlessRefused(async () => ({ ok: true, item: (await table.documents.send(command)).Attributes ?? {} })),
  );
}

/** A conditional deletion of one item. */
export async function remove(
  table: Table,
  input: Omit<DeleteCommandInput, 'TableName'>,
): Promise<{ ok: true } | { ok: false; found: Found }> {
  const command = new DeleteCommand({
    ...input,
    TableName: table.tableName,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  return retryingConflicts(table, () =>
    unlessRefused(async () => {
      await table.documents.send(command);
      return { ok: true };
    }),
  );
}

/**
 * Decides and writes, again while the grounds of the decision change meanwhile.
 *
 * @param decide - reads, decides, writes; undefined: what it had read was stale when it wrote
 */
export async function untilFresh<T>(table: Table, decide: () => Promise<T | undefined>): Promise<T> {
  for (let decision = 0; decision < MAX_DECISIONS; decision += 1) {
    const outcome = await decide();
    if (outcome !== undefined) return outcome;
    await pause(table, decision);
  }
  throw storeBusy();
}

async function retryingConflicts<T>(table: Table, attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (attempts === MAX_ATTEMPTS) throw storeBusy(error);
      await pause(table, attempts);
    }
  }
}

function isConflict(error: unknown): boolean {
  return (
    error instanceof TransactionConflictException ||
    error instanceof TransactionInProgressException ||
    (error instanceof TransactionCanceledException &&
      (error.CancellationReasons ?? []).some(({ Code }) => PASSING.has(Code ?? '')))
  );
}

/**
 * The first step that failed decides. A conflict beside a failed condition is tried again first: only then all conditions
 * were looked at together.
 */
function judged(error: TransactionCanceledException, steps: readonly Step[]): 'stale' {
  if (isConflict(error)) throw error;
  const reasons = error.CancellationReasons ?? [];
  const failed = reasons.findIndex(({ Code }) => Code !== undefined && Code !== 'None');
  const reason = reasons[failed];
  if (reason?.Code !== 'ConditionalCheckFailed') throw error;
  const refusal = steps[failed]?.refusal?.(scalarsOf(reason.Item));
  if (refusal !== undefined) throw refusal;
  return 'stale';
}

async function unlessRefused<T>(write: () => Promise<T>): Promise<T | { ok: false; found: Found }> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { ok: false, found: scalarsOf(error.Item) };
  }
}

/** Errors carry items in the wire form; what decides is in text, numbers and flags. */
function scalarsOf(item: Record<string, AttributeValue> | undefined): Found {
  if (item === undefined || Object.keys(item).length === 0) return undefined;
  return Object.fromEntries(
    Object.entries(item).map(([name, { S, N, BOOL }]) => [name, S ?? (N === undefined ? BOOL : Number(N))]),
  );
}

function withFound(item: StepItem, TableName: string): TransactItem {
  const more = { TableName, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  if ('Put' in item) return { Put: { ...item.Put, ...more } };
  if ('Update' in item) return { Update: { ...item.Update, ...more } };
  if ('Delete' in item) return { Delete: { ...item.Delete, ...more } };
  return { ConditionCheck: { ...item.ConditionCheck, ...more } };
}

async function pause({ wait = delay }: Table, attempts: number): Promise<void> {
  const longest = Math.min(FIRST_WAIT_MS * 2 ** attempts, LONGEST_WAIT_MS);
  await wait(longest / 2 + (Math.random() * longest) / 2);
}
