import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { FigureStore, FigureWriteId } from '../../ports/figure-store.ts';
import { absent, any, atMost, type Changes, changing } from './expressions.ts';
import { attributesOf, expiryOf, minuteSk, partitionOf, witnessSk } from './figure-items.ts';
import { getItem } from './read.ts';
import type { Key, Table } from './table.ts';
import { update } from './write.ts';

const MINUTE_LIFETIME_SECONDS = 2 * 24 * 60 * 60;

/**
 * What the data plane does with figures: one update of one item each. Each writer's last sequence stands in the item it wrote
 * to, so that a write whose answer was lost, and which the SDK or we repeat, is added once.
 */
export function createDynamoFigureWrites(
  table: Table,
): Pick<FigureStore, 'add' | 'wasAdded' | 'addWitness' | 'putSample'> {
  async function addTo(key: Key, { writer, sequence }: FigureWriteId, changes: Changes): Promise<void> {
    const name = writerAttribute(writer);
    const outcome = await update(table, {
      Key: key,
      ...changing(
        { ...changes, set: { ...changes.set, [name]: sequence } },
        any(absent(name), atMost(name, sequence - 1)),
      ),
    });
    // It was added before, and the answer lost.
    if (!outcome.ok && Number(outcome.found?.[name] ?? 0) < sequence) {
      throw new Error('adding figures: the item refused a write that it does not have');
    }
  }

  return {
    add: ({ figures, ...id }) =>
      addTo({ PK: partitionOf(id.taskId), SK: minuteSk(id.minute) }, id, {
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
