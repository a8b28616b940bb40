import { GetCommand, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { decodeCursor, encodeCursor } from '../../domain/page-cursor.ts';
import type { Page } from '../../ports/task-store.ts';
import type { Item, Key, Table } from './table.ts';

/** Bounds of one page: a filter that matches nothing costs ten reads of 200 items, then a page that may be empty. */
const MAX_QUERIES = 10;
const FILTERED_BATCH = 200;

/** Reads one item, strongly consistent. */
export async function getItem({ documents, tableName }: Table, key: Key): Promise<Item | undefined> {
  const { Item: item } = await documents.send(
    new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
  );
  return item;
}

export interface Listing<T> {
  /** Name of the list, kept in its cursors. */
  list: string;
  query: Omit<QueryCommandInput, 'TableName' | 'Limit' | 'ExclusiveStartKey'>;
  page: { limit: number; cursor?: string };
  toItem: (item: Item) => T;
  /** What the cursor remembers of an item, and the key it stands for. */
  positionOf: (item: Item) => string;
  keyAt: (position: string) => Item;
  matches?: (item: T) => boolean;
}

/**
 * One page of a query, filtered in code. Every cursor stands behind an item that was looked at, so that pages never
 * repeat or skip one.
 */
export async function listPage<T>(table: Table, listing: Listing<T>): Promise<Page<T>> {
  const { list, page, matches } = listing;
  const items: T[] = [];
  let position = page.cursor === undefined ? undefined : decodeCursor(list, page.cursor);
  for (let queries = 0; queries < MAX_QUERIES; queries += 1) {
    const { found, isLast } = await queryFrom(table, listing, position);
    for (const item of found) {
      const candidate = listing.toItem(item);
      if (matches?.(candidate) ?? true) {
        if (items.length === page.limit) return { items, nextCursor: encodeCursor(list, position ?? '') };
        items.push(candidate);
      }
      position = listing.positionOf(item);
    }
    if (isLast) return { items };
  }
  return position === undefined ? { items } : { items, nextCursor: encodeCursor(list, position) };
}

async function queryFrom<T>(
  { documents, tableName }: Table,
  { query, page, matches, keyAt }: Listing<T>,
  position: string | undefined,
): Promise<{ found: Item[]; isLast: boolean }> {
  const answer = await documents.send(
    new QueryCommand({
      ...query,
      TableName: tableName,
      // One more than asked for tells whether there is a next page.
      Limit: matches === undefined ? page.limit + 1 : FILTERED_BATCH,
      ...(position === undefined ? {} : { ExclusiveStartKey: keyAt(position) }),
    }),
  );
  return { found: answer.Items ?? [], isLast: answer.LastEvaluatedKey === undefined };
}

/** Keys of all items of a partition whose sort key begins so, in bounded reads. */
export async function* keysOf(
  { documents, tableName }: Table,
  partition: string,
  prefix: string,
): AsyncGenerator<Item> {
  let from: Item | undefined;
  do {
    const answer = await documents.send(
      new QueryCommand({
        TableName: tableName,
        ...partitionQuery(partition, prefix),
        ConsistentRead: true,
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      }),
    );
    yield* answer.Items ?? [];
    from = answer.LastEvaluatedKey;
  } while (from !== undefined);
}

/** Items of one partition whose sort key begins so. */
export function partitionQuery(partition: string, prefix: string) {
  return {
    KeyConditionExpression: 'PK = :partition AND begins_with(SK, :prefix)',
    ExpressionAttributeValues: { ':partition': partition, ':prefix': prefix },
  };
}
