import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import { DEAD_LETTER_INDEX, type Item, type Table } from './table.ts';

/** Bound of a summary: 20 answers of 1 MB, some hundred thousand dead letters. */
const MAX_QUERIES = 20;

/** Counts dead letters by the index that has no bodies; the right to do so gives no other. */
export function createDynamoDeadLetterSummary(table: Table): Pick<DeadLetterStore, 'summary'> {
  return {
    async summary(taskId, { maxQueries = MAX_QUERIES } = {}) {
      const byCode: Record<string, number> = {};
      let oldestSeenAtMs = Number.POSITIVE_INFINITY;
      let from: Item | undefined;
      for (let queries = 0; queries < maxQueries; queries += 1) {
        const answer = await table.documents.send(
          new QueryCommand({
            TableName: table.tableName,
            IndexName: DEAD_LETTER_INDEX,
            KeyConditionExpression: 'GSI2PK = :partition',
            ExpressionAttributeValues: { ':partition': `TASK#${taskId}` },
            ProjectionExpression: '#code, firstSeenAtMs',
            ExpressionAttributeNames: { '#code': 'code' },
            ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          }),
        );
        for (const { code, firstSeenAtMs } of answer.Items ?? []) {
          byCode[String(code)] = (byCode[String(code)] ?? 0) + 1;
          oldestSeenAtMs = Math.min(oldestSeenAtMs, Number(firstSeenAtMs));
        }
        from = answer.LastEvaluatedKey;
        if (from === undefined) break;
      }
      return {
        byCode,
        ...(Number.isFinite(oldestSeenAtMs) ? { oldestSeenAtMs } : {}),
        isPartial: from !== undefined,
      };
    },
  };
}
