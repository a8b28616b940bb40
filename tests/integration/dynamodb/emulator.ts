import { randomUUID } from 'node:crypto';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { createDynamoClusterStore } from '../../../lib/adapters/dynamodb/cluster-store.ts';
import { createDynamoStackStore } from '../../../lib/adapters/dynamodb/stack-store.ts';
import {
  DEAD_LETTER_INDEX,
  openTable,
  type Table,
  TYPE_INDEX,
} from '../../../lib/adapters/dynamodb/table.ts';
import { createDynamoTaskStore } from '../../../lib/adapters/dynamodb/task-store.ts';
import type { Stores } from '../../contract/stores.ts';
import { emulatorConfig } from '../../helpers/aws-emulator.ts';
import { createManualClock } from '../../helpers/tasks.ts';

/** Makes tables like the stack's on the AWS emulator, and drops them again. */
export function createTables(): { open(): Promise<Table>; dropAll(): Promise<void> } {
  const config = emulatorConfig();
  const client = new DynamoDBClient(config);
  const tables: Table[] = [];

  return {
    async open() {
      const tableName = `mqferry-${randomUUID()}`;
      await client.send(
        new CreateTableCommand({
          TableName: tableName,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: ['PK', 'SK', 'GSI1PK', 'GSI1SK', 'GSI2PK', 'GSI2SK'].map((AttributeName) => ({
            AttributeName,
            AttributeType: 'S',
          })),
          KeySchema: [
            { AttributeName: 'PK', KeyType: 'HASH' },
            { AttributeName: 'SK', KeyType: 'RANGE' },
          ],
          GlobalSecondaryIndexes: [
            {
              IndexName: TYPE_INDEX,
              KeySchema: [
                { AttributeName: 'GSI1PK', KeyType: 'HASH' },
                { AttributeName: 'GSI1SK', KeyType: 'RANGE' },
              ],
              Projection: { ProjectionType: 'ALL' },
            },
            {
              IndexName: DEAD_LETTER_INDEX,
              KeySchema: [
                { AttributeName: 'GSI2PK', KeyType: 'HASH' },
                { AttributeName: 'GSI2SK', KeyType: 'RANGE' },
              ],
              Projection: { ProjectionType: 'ALL' },
            },
          ],
        }),
      );
      await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 0.05 }, { TableName: tableName });
      const table = openTable(tableName, config);
      tables.push(table);
      return table;
    },

    async dropAll() {
      for (const { documents, tableName } of tables.splice(0)) {
        await client.send(new DeleteTableCommand({ TableName: tableName }));
        documents.destroy();
      }
      client.destroy();
    },
  };
}

/** The stores of one fresh stack on a table of its own. */
export async function storesOn(table: Table): Promise<Stores> {
  const clock = createManualClock();
  return {
    tasks: createDynamoTaskStore(table, clock),
    clusters: createDynamoClusterStore(table),
    stack: createDynamoStackStore(table),
    clock,
  };
}
