import type { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { keysOf, listPage } from '../../../../lib/adapters/dynamodb/read.ts';

interface Numbered {
  id: number;
}

/** A partition of numbered items, read as DynamoDB reads one: at most so many items or 100 at a time. */
function createPartition(size: number) {
  const items = Array.from({ length: size }, (_, id) => ({ PK: 'P', SK: String(id).padStart(6, '0'), id }));
  const queries: number[] = [];
  return {
    queries,
    table: {
      tableName: 'table',
      documents: {
        send: async ({ input }: QueryCommand) => {
          const limit = Math.min(input.Limit ?? 100, 100);
          queries.push(limit);
          const from = input.ExclusiveStartKey?.SK;
          const rest = items.filter(({ SK }) => from === undefined || SK > from);
          const page = rest.slice(0, limit);
          const last = page.at(-1);
          return {
            Items: page,
            // As DynamoDB: also when what was read happened to be the last.
            ...(last !== undefined && page.length === limit ? { LastEvaluatedKey: last } : {}),
          };
        },
      } as unknown as DynamoDBDocumentClient,
    },
  };
}

const listing = (limit: number, cursor?: string, matches?: (item: Numbered) => boolean) => ({
  list: 'numbers',
  query: {},
  page: { limit, ...(cursor === undefined ? {} : { cursor }) },
  toItem: ({ id }: Record<string, unknown>) => ({ id: Number(id) }),
  positionOf: ({ SK }: Record<string, unknown>) => String(SK),
  keyAt: (SK: string) => ({ PK: 'P', SK }),
  ...(matches === undefined ? {} : { matches }),
});

async function readAll(
  partition: ReturnType<typeof createPartition>,
  limit: number,
  matches?: (item: Numbered) => boolean,
) {
  const pages: number[][] = [];
  let cursor: string | undefined;
  for (let count = 0; count < 1_000; count += 1) {
    const page = await listPage(partition.table, listing(limit, cursor, matches));
    pages.push(page.items.map(({ id }) => id));
    if (page.nextCursor === undefined) return pages;
    cursor = page.nextCursor;
  }
  throw new Error('the list never ends');
}

describe('listPage', () => {
  it.each([
    [0, 3],
    [1, 3],
    [6, 3],
    [7, 3],
    [250, 100],
  ])('reads %d items in pages of %d, each once, with no empty page at the end', async (size, limit) => {
    const pages = await readAll(createPartition(size), limit);
    expect(pages.flat()).toEqual(Array.from({ length: size }, (_, id) => id));
    expect(pages).toHaveLength(Math.max(1, Math.ceil(size / limit)));
  });

  it('filters without skipping or repeating', async () => {
    const pages = await readAll(createPartition(333), 10, ({ id }) => id % 7 === 0);
    expect(pages.flat()).toEqual(Array.from({ length: 48 }, (_, index) => index * 7));
    expect(pages.every((page) => page.length <= 10)).toBe(true);
  });

  it('reads a bounded number of records for one page, and goes on from there', async () => {
    const partition = createPartition(2_500);
    const first = await listPage(
      partition.table,
      listing(5, undefined, ({ id }) => id === 2_400),
    );
    expect(partition.queries).toHaveLength(10);
    expect(first).toEqual({ items: [], nextCursor: expect.any(String) });
    const pages = await readAll(partition, 5, ({ id }) => id === 2_400);
    expect(pages).toEqual([[], [], [2_400]]);
  });

  it('refuses a cursor of another list', async () => {
    const { nextCursor } = await listPage(createPartition(9).table, listing(3));
    const other = { ...listing(3, nextCursor), list: 'letters' };
    await expect(listPage(createPartition(9).table, other)).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });
});

describe('keysOf', () => {
  let partition: ReturnType<typeof createPartition>;
  beforeEach(() => {
    partition = createPartition(250);
  });

  it('reads all, whatever one answer holds', async () => {
    const seen: unknown[] = [];
    for await (const { id } of keysOf(partition.table, 'P', '')) seen.push(id);
    expect(seen).toEqual(Array.from({ length: 250 }, (_, id) => id));
    expect(partition.queries).toHaveLength(3);
  });
});
