import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ConvergeState } from '../../ports/converge-state.ts';
import { absent, any, changing, present } from './expressions.ts';
import { getItem } from './read.ts';
import type { Key, Table } from './table.ts';
import { update } from './write.ts';

const convergeKey: Key = { PK: 'STACK#CONVERGE', SK: 'META' };

/** One item of the stack's table. */
export function createDynamoConvergeState(table: Table): ConvergeState {
  return {
    async read() {
      const item = await getItem(table, convergeKey);
      return {
        regions: item?.regions instanceof Set ? [...item.regions].map(String).sort() : [],
        suspects: (item?.suspects ?? {}) as Record<string, number>,
        ...(typeof item?.auditCursor === 'string' ? { auditCursor: item.auditCursor } : {}),
        ...(item?.backlogs === undefined ? {} : { backlogs: item.backlogs as Record<string, number> }),
      };
    },

    async addRegion(region) {
      await table.documents.send(
        new UpdateCommand({
          TableName: table.tableName,
          Key: convergeKey,
          UpdateExpression: 'ADD #regions :region',
          ExpressionAttributeNames: { '#regions': 'regions' },
          ExpressionAttributeValues: { ':region': new Set([region]) },
        }),
      );
    },

    async saveBacklogs(backlogs) {
      await update(table, {
        Key: convergeKey,
        ...changing({ set: { backlogs } }, any(absent('PK'), present('PK'))),
      });
    },

    async saveAudit({ suspects, auditCursor }) {
      await update(table, {
        Key: convergeKey,
        ...changing(
          { set: { suspects, auditCursor }, remove: auditCursor === undefined ? ['auditCursor'] : [] },
          any(absent('PK'), present('PK')),
        ),
      });
    },
  };
}
