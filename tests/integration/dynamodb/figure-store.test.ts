import { afterAll, describe, expect, it } from '@jest/globals';
import { createDynamoFigureStore } from '../../../lib/adapters/dynamodb/figure-store.ts';
import type { Table } from '../../../lib/adapters/dynamodb/table.ts';
import { newFigures } from '../../../lib/domain/figures/figures.ts';
import { describeFigureStore } from '../../contract/figure-store.ts';
import { createTables } from './emulator.ts';

const tables = createTables();
afterAll(() => tables.dropAll());

describeFigureStore('DynamoDB', async () => createDynamoFigureStore(await tables.open()));

describe('hours on DynamoDB', () => {
  it('hold a minute once, though it is folded while they are read', async () => {
    const table = await tables.open();
    const store = createDynamoFigureStore(table);
    const [taskId, minute] = ['T', 29_000_000];
    const figures = newFigures();
    figures.counts.consumed = 5;
    await store.add({ taskId, minute, writer: 'w', sequence: 1, figures });
    let folded = 0;
    const beforeHours = before(table, '"H#', async () => {
      if (folded === 0) folded = await store.fold(taskId, minute);
    });
    const hours = await createDynamoFigureStore(beforeHours).read(
      taskId,
      { fromMinute: minute - 60, toMinute: minute + 60 },
      'hour',
    );
    expect(folded).toBe(1);
    expect(hours.map((hour) => hour.figures.counts.consumed)).toEqual([5]);
  });
});

/** The same table, where something happens before each request that has this text. */
function before(table: Table, text: string, act: () => Promise<void>): Table {
  const documents = new Proxy(table.documents, {
    get(target, name) {
      if (name !== 'send') return Reflect.get(target, name);
      return async (command: Parameters<typeof target.send>[0]) => {
        if (JSON.stringify(command.input).includes(text)) await act();
        return target.send(command);
      };
    },
  });
  return { ...table, documents };
}
