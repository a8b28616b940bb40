import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import {
  DEAD_LETTER_JOB_RETENTION_MS,
  type DeadLetterJob,
} from '../../domain/dead-letters/dead-letter-job.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterJobs } from '../../ports/dead-letter-jobs.ts';
import { absent, any, atMost, changing, equals } from './expressions.ts';
import { getItem, listPage, partitionQuery } from './read.ts';
import { type Item, type Key, type Table, TYPE_INDEX, taskKey, withoutKeys } from './table.ts';
import { update } from './write.ts';

const PREFIX = 'DEADLETTERJOB#';
/** In the index of types while a job is not done. */
const OPEN = 'DEADLETTERJOB';
const QUERY_LIMIT = 100;

/**
 * Jobs in the one table: `PK` `TASK#<taskId>`, `SK` `DEADLETTERJOB#<jobId>`. Those that are not done are in the index of types
 * too, and carry who works on them until when.
 */
export function createDynamoDeadLetterJobs(table: Table, clock: Pick<Clock, 'now'>): DeadLetterJobs {
  /** Of the task, oldest first; strongly consistent. */
  async function openJobs(taskId: string): Promise<DeadLetterJob[]> {
    const jobs: DeadLetterJob[] = [];
    let from: Item | undefined;
    do {
      const answer = await table.documents.send(
        new QueryCommand({
          TableName: table.tableName,
          ...withNotDone(partitionQuery(taskKey(taskId).PK, PREFIX)),
          ConsistentRead: true,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      jobs.push(...(answer.Items ?? []).map(jobOf));
      from = answer.LastEvaluatedKey;
    } while (from !== undefined && jobs.length === 0);
    return jobs;
  }

  return {
    async create(job) {
      const { taskId, jobId, createdAtMs } = job;
      await table.documents.send(
        new PutCommand({
          TableName: table.tableName,
          Item: {
            ...jobKey(taskId, jobId),
            ...openKey(taskId, jobId),
            ...job,
            expiresAt: Math.ceil((createdAtMs + DEAD_LETTER_JOB_RETENTION_MS) / 1000),
          },
          ConditionExpression: 'attribute_not_exists(PK)',
        }),
      );
    },

    async get(taskId, jobId) {
      const item = await getItem(table, jobKey(taskId, jobId));
      return item === undefined ? undefined : jobOf(item);
    },

    list: (taskId, page) =>
      listPage(table, {
        list: `dead-letter-jobs/${taskId}`,
        page,
        query: { ...partitionQuery(taskKey(taskId).PK, PREFIX), ScanIndexForward: false },
        toItem: jobOf,
        positionOf: ({ jobId }) => String(jobId),
        keyAt: (position) => ({ ...jobKey(taskId, position) }),
      }),

    async countOpen(taskId, limit) {
      return Math.min(limit, (await openJobs(taskId)).length);
    },

    async tasksWithOpenJobs(limit) {
      const found = new Set<string>();
      let from: Item | undefined;
      do {
        const answer = await table.documents.send(
          new QueryCommand({
            TableName: table.tableName,
            IndexName: TYPE_INDEX,
            KeyConditionExpression: 'GSI1PK = :open',
            ExpressionAttributeValues: { ':open': OPEN },
            Limit: QUERY_LIMIT,
            ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          }),
        );
        for (const { taskId } of answer.Items ?? []) found.add(String(taskId));
        from = answer.LastEvaluatedKey;
      } while (from !== undefined && found.size < limit);
      return [...found].slice(0, limit);
    },

    async take(taskId, owner, durationMs, behindId = '') {
      const oldest = (await openJobs(taskId)).find(({ jobId }) => jobId > behindId);
      if (oldest === undefined) return undefined;
      const nowMs = clock.now();
      const outcome = await update(table, {
        Key: jobKey(taskId, oldest.jobId),
        ...changing(
          { set: { owner, ownedUntilMs: nowMs + durationMs } },
          any(absent('owner'), equals('owner', owner), atMost('ownedUntilMs', nowMs)),
        ),
      });
      return outcome.ok ? jobOf(outcome.item) : undefined;
    },

    async save(job, owner, durationMs) {
      const { taskId, jobId, state, counts, throughId, reason, finishedAtMs } = job;
      const isDone = state === 'done';
      const isLeft = isDone || durationMs === 0;
      const outcome = await update(table, {
        Key: jobKey(taskId, jobId),
        ...changing(
          {
            set: {
              state,
              counts,
              throughId,
              reason,
              finishedAtMs,
              ...(isLeft ? {} : { ownedUntilMs: clock.now() + durationMs }),
            },
            remove: [
              ...(reason === undefined ? ['reason'] : []),
              ...(isLeft ? ['owner', 'ownedUntilMs'] : []),
              ...(isDone ? ['GSI1PK', 'GSI1SK'] : []),
            ],
          },
          equals('owner', owner),
        ),
      });
      return outcome.ok;
    },
  };
}

function withNotDone(query: ReturnType<typeof partitionQuery>) {
  return {
    ...query,
    FilterExpression: '#state <> :done',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ...query.ExpressionAttributeValues, ':done': 'done' },
  };
}

function jobKey(taskId: string, jobId: string): Key {
  return { PK: taskKey(taskId).PK, SK: `${PREFIX}${jobId}` };
}

function openKey(taskId: string, jobId: string) {
  return { GSI1PK: OPEN, GSI1SK: `${taskId}#${jobId}` };
}

function jobOf(item: Item): DeadLetterJob {
  const { owner: _, ownedUntilMs: _until, ...job } = withoutKeys(item);
  // Written by this file only, which keeps the types.
  return job as unknown as DeadLetterJob;
}
