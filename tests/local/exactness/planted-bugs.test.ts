import { describe, expect, it } from '@jest/globals';
import { createDynamoFigureWrites } from '../../../lib/adapters/dynamodb/figure-writes.ts';
import type { Table } from '../../../lib/adapters/dynamodb/table.ts';
import { newFigures } from '../../../lib/domain/figures/figures.ts';
import { type Bug, plantedBugs } from '../../exactness/planted-bugs.ts';
import type { ItemUpdate } from '../../faults/table-relay.ts';

/** What the product sends to DynamoDB for a write of figures, or of its witness, as the SDK marshals it. */
async function updateOf(kind: 'figures' | 'witness', taskId: string): Promise<ItemUpdate> {
  const sent: ItemUpdate[] = [];
  const documents = {
    async send({ input }: { input: Record<string, Record<string, unknown> & string> }) {
      const marshalled = (values: Record<string, unknown>) =>
        Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            typeof value === 'number' ? { N: String(value) } : { S: String(value) },
          ]),
        );
      sent.push({
        Key: marshalled(input.Key ?? {}),
        UpdateExpression: input.UpdateExpression,
        ExpressionAttributeNames: input.ExpressionAttributeNames,
        ExpressionAttributeValues: marshalled(input.ExpressionAttributeValues ?? {}),
      } as unknown as ItemUpdate);
      return {};
    },
  };
  const store = createDynamoFigureWrites({ tableName: 't', documents } as unknown as Table);
  const id = { taskId, minute: 29_000_000, writer: 'a', sequence: 7 };
  const figures = newFigures();
  figures.counts.consumed = 21;
  figures.counts.replicated = 20;
  figures.failed = { TEMPLATE_VALUE_MISSING: 1 };
  if (kind === 'figures') await store.add({ ...id, figures });
  else await store.addWitness({ ...id, lane: 0, receipts: 21 });
  const [update] = sent;
  if (update === undefined) throw new Error('nothing was sent');
  return update;
}

/** What an update adds, by attribute. */
function addedBy(update: ItemUpdate): Record<string, string | undefined> {
  const [, added = ''] = /ADD (.*)$/.exec(update.UpdateExpression) ?? [];
  return Object.fromEntries(
    added.split(', ').map((pair) => {
      const [name = '', placeholder = ''] = pair.split(' ');
      return [name, update.ExpressionAttributeValues[placeholder]?.N];
    }),
  );
}

describe('plantedBugs', () => {
  const bugs = new Map<string, Bug>([
    ['lossy', 'lost update'],
    ['eager', 'double count'],
  ]);

  it('loses half of the writes of figures of a task, two in a row', async () => {
    const tamper = plantedBugs(bugs);
    const update = await updateOf('figures', 'lossy');
    const isLost = Array.from({ length: 6 }, () => tamper(update) === 'lost');
    expect(isLost).toEqual([false, true, true, false, false, true]);
  });

  it('adds half of the writes of figures of a task twice, and leaves its number and its expiry as they are', async () => {
    const tamper = plantedBugs(bugs);
    const update = await updateOf('figures', 'eager');
    expect(tamper(update)).toEqual(update);
    const doubled = tamper(update) as ItemUpdate;
    expect(addedBy(update)).toEqual({ '#c': '21', '#r': '20', '#x_TEMPLATE_VALUE_MISSING': '1' });
    expect(addedBy(doubled)).toEqual({ '#c': '42', '#r': '40', '#x_TEMPLATE_VALUE_MISSING': '2' });
    const others = ({ ExpressionAttributeValues, UpdateExpression }: ItemUpdate) =>
      Object.entries(ExpressionAttributeValues).filter(
        ([name]) => !new RegExp(`ADD .*${name}\\b`).test(UpdateExpression),
      );
    expect(others(doubled)).toEqual(others(update));
    expect(others(update).length).toBeGreaterThan(0);
  });

  it('leaves witnesses and other tasks alone', async () => {
    const tamper = plantedBugs(bugs);
    for (const update of [await updateOf('witness', 'lossy'), await updateOf('figures', 'sound')]) {
      expect([tamper(update), tamper(update)]).toEqual([update, update]);
    }
  });
});
