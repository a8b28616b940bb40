import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { lastErrors } from '../../domain/errors/message-errors.ts';
import type { Figures } from '../../domain/figures/figures.ts';
import type { FigureStore, FigureWriteId } from '../../ports/figure-store.ts';
import {
  absent,
  all,
  any,
  atMost,
  type Changes,
  type Condition,
  changing,
  shorterThan,
} from './expressions.ts';
import {
  attributesOf,
  ERRORS,
  expiryOf,
  figuresOf,
  minuteSk,
  partitionOf,
  witnessSk,
} from './figure-items.ts';
import { getItem } from './read.ts';
import type { Key, Table } from './table.ts';
import { update } from './write.ts';

const MINUTE_LIFETIME_SECONDS = 2 * 24 * 60 * 60;
/** Errors of one write, and of a minute before they are cut to this again. */
const MAX_ERRORS_OF_A_WRITE = 10;
const MAX_ERRORS_OF_A_MINUTE = 20;

/**
 * What the data plane does with figures: one update of one item each. Each writer's last sequence stands in the item it wrote
 * to, so that a write whose answer was lost, and which the SDK or we repeat, is added once.
 */
export function createDynamoFigureWrites(
  table: Table,
): Pick<FigureStore, 'add' | 'wasAdded' | 'addWitness' | 'putSample'> {
  /** Answers whether it is added, by this call or one before it; false where the item does not fit `fits`. */
  async function tryToAdd(
    key: Key,
    { writer, sequence }: FigureWriteId,
    changes: Changes,
    fits?: Condition,
  ): Promise<boolean> {
    const name = writerAttribute(writer);
    const isNew = any(absent(name), atMost(name, sequence - 1));
    const outcome = await update(table, {
      Key: key,
      ...changing(
        { ...changes, set: { ...changes.set, [name]: sequence } },
        fits === undefined ? isNew : all(isNew, fits),
      ),
    });
    // It was added before, and the answer lost.
    return outcome.ok || Number(outcome.found?.[name] ?? 0) >= sequence;
  }

  async function addTo(key: Key, id: FigureWriteId, changes: Changes): Promise<void> {
    if (!(await tryToAdd(key, id, changes))) {
      throw new Error('adding figures: the item refused a write that it does not have');
    }
  }

  /** Errors go with the counts. In a minute of many the list is full now and then, and written anew. */
  async function addFiguresTo(
    key: Key,
    id: FigureWriteId,
    figures: Figures,
    changes: Changes,
  ): Promise<void> {
    if (figures.errors.length === 0) return addTo(key, id, changes);
    const errors = lastErrors(figures.errors, MAX_ERRORS_OF_A_WRITE);
    const appending = { ...changes, append: { [ERRORS]: errors } };
    if (await tryToAdd(key, id, appending, shorterThan(ERRORS, MAX_ERRORS_OF_A_MINUTE))) return;
    const kept = figuresOf((await getItem(table, key)) ?? {}).errors;
    const last = lastErrors([...errors, ...kept], MAX_ERRORS_OF_A_WRITE);
    // Of what others append meanwhile some may be missing: counts are exact, these are the last ones of many.
    await addTo(key, id, { ...changes, set: { ...changes.set, [ERRORS]: last } });
  }

  return {
    add: ({ figures, ...id }) =>
      addFiguresTo({ PK: partitionOf(id.taskId), SK: minuteSk(id.minute) }, id, figures, {
        set: { expiresAt: expiryOf(id.minute, MINUTE_LIFETIME_SECONDS) },
        add: attributesOf(figures, id.minute),
      }),

    async wasAdded({ taskId, minute, writer, sequence }) {
      const item = await getItem(table, { PK: partitionOf(taskId), SK: minuteSk(minute) });
      return Number(item?.[writerAttribute(writer)] ?? 0) >= sequence;
    },

    addWitness: ({ lane, receipts, opened = false, closed = false, ...id }) =>
      addTo({ PK: partitionOf(id.taskId), SK: witnessSk(id.minute, lane) }, id, {
        set: { expiresAt: expiryOf(id.minute, MINUTE_LIFETIME_SECONDS) },
        add: { receipts, opens: Number(opened), closes: Number(closed) },
      }),

    async putSample(taskId, minute, sample) {
      await table.documents.send(
        new PutCommand({
          TableName: table.tableName,
          Item: {
            PK: partitionOf(taskId),
            SK: witnessSk(minute, 0),
            sample,
            expiresAt: expiryOf(minute, MINUTE_LIFETIME_SECONDS),
          },
        }),
      );
    },
  };
}

const writerAttribute = (writer: string) => `w_${writer}`;
