import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { lastErrors } from '../../domain/errors/message-errors.ts';
import { addFigures, type Figures, newFigures, startOfMinuteMs } from '../../domain/figures/figures.ts';
import type {
  FigurePeriod,
  FigureRange,
  FigureStore,
  SourceSample,
  WitnessMinute,
} from '../../ports/figure-store.ts';
import { absent, changing, equals, present } from './expressions.ts';
import {
  attributesOf,
  ERRORS,
  expiryOf,
  figuresOf,
  hourOf,
  hourSk,
  LAST_LANE,
  LAST_MINUTE,
  minuteOfSk,
  minuteSk,
  partitionOf,
  totalsKey,
  witnessSk,
} from './figure-items.ts';
import { createDynamoFigureWrites } from './figure-writes.ts';
import { getItem } from './read.ts';
import type { Item, Table } from './table.ts';
import { transact, update } from './write.ts';

const DAY_SECONDS = 24 * 60 * 60;
const HOUR_LIFETIME_SECONDS = 30 * DAY_SECONDS;
/** Of the totals of a task that is gone. */
const FORGOTTEN_AFTER_SECONDS = 90 * DAY_SECONDS;
/** DynamoDB takes expressions of 4 KB: more attributes than this are folded in several steps. */
const MAX_ATTRIBUTES = 200;
/** Minutes of one fold: four hours. */
const MAX_MINUTES = 240;
/** Of hours, while folds are under way. */
const MAX_READS = 3;

/**
 * Figures in the one table: `PK` `FIGURES#<taskId>`, `SK` `M#<minute>`, `H#<first minute>`, `W#<minute>#<lane>` (witness) and
 * `TOTALS`. Minutes are not touched by folding: `foldedThrough` of the totals says which are in them.
 */
export function createDynamoFigureStore(table: Table): FigureStore {
  async function query(taskId: string, from: string, to: string): Promise<Item[]> {
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const answer = await table.documents.send(
        new QueryCommand({
          TableName: table.tableName,
          KeyConditionExpression: 'PK = :partition AND SK BETWEEN :from AND :to',
          ExpressionAttributeValues: { ':partition': partitionOf(taskId), ':from': from, ':to': to },
          ConsistentRead: true,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      items.push(...(answer.Items ?? []));
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  }

  async function minutesOf(taskId: string, { fromMinute, toMinute }: FigureRange) {
    const items = await query(taskId, minuteSk(fromMinute), minuteSk(toMinute));
    return items.map((item) => {
      const minute = minuteOfSk(item);
      return { minute, figures: figuresOf(item, minute) };
    });
  }

  /**
   * Hours, and the minutes that are not in them yet. A fold in between would have its minutes in both: then all is read again; folds are a
   * quarter of an hour apart.
   */
  async function readOnOneSide(taskId: string, range: FigureRange) {
    for (let reads = 1; ; reads += 1) {
      const { through } = await folded(taskId);
      const open = await minutesOf(taskId, { fromMinute: through + 1, toMinute: LAST_MINUTE });
      const hours = await query(taskId, hourSk(range.fromMinute), hourSk(range.toMinute));
      if (reads === MAX_READS || (await folded(taskId)).through === through) return { hours, open };
    }
  }

  /** Read before the minutes: what is folded meanwhile is then found among these. */
  async function folded(taskId: string): Promise<{ item: Item; through: number }> {
    const item = (await getItem(table, totalsKey(taskId))) ?? {};
    return { item, through: Number(item.foldedThrough ?? 0) };
  }

  return {
    ...createDynamoFigureWrites(table),

    async witness(taskId, { fromMinute, toMinute }) {
      return (await query(taskId, witnessSk(fromMinute, 0), witnessSk(toMinute, LAST_LANE))).map(witnessOf);
    },

    async lastSample(taskId) {
      const answer = await table.documents.send(
        new QueryCommand({
          TableName: table.tableName,
          KeyConditionExpression: 'PK = :partition AND begins_with(SK, :prefix)',
          ExpressionAttributeValues: { ':partition': partitionOf(taskId), ':prefix': 'W#' },
          ScanIndexForward: false,
          Limit: 1,
        }),
      );
      const [last] = answer.Items ?? [];
      return last === undefined ? undefined : witnessOf(last).sample;
    },

    async totals(taskId) {
      const { item, through } = await folded(taskId);
      const open = await minutesOf(taskId, { fromMinute: through + 1, toMinute: LAST_MINUTE });
      return sumOf([figuresOf(item), ...open.map(({ figures }) => ({ ...figures, sourceMinutes: {} }))]);
    },

    async read(taskId, range, period) {
      if (period === 'minute') return periodsOf(await minutesOf(taskId, range));
      const { hours, open } = await readOnOneSide(taskId, range);
      const parts = [
        ...hours.map((item) => ({ minute: minuteOfSk(item), figures: figuresOf(item) })),
        ...open.map(({ minute, figures }) => ({
          minute: hourOf(minute),
          figures: { ...figures, errors: [] },
        })),
      ].filter(({ minute }) => minute >= range.fromMinute && minute <= range.toMinute);
      return periodsOf(parts);
    },

    async fold(taskId, throughMinute) {
      const { item, through } = await folded(taskId);
      const open = await minutesOf(taskId, { fromMinute: through + 1, toMinute: throughMinute });
      const due = withinOneStep(open.slice(0, MAX_MINUTES));
      const last = due.at(-1);
      if (last === undefined) return 0;
      const isAsRead = through === 0 ? absent('foldedThrough') : equals('foldedThrough', through);
      const totals = sumOf(due.map(({ figures }) => figures));
      const errors = lastErrors([...figuresOf(item).errors, ...totals.errors]);
      const hours = Map.groupBy(due, ({ minute }) => hourOf(minute));
      const outcome = await transact(table, [
        {
          item: {
            Update: {
              Key: totalsKey(taskId),
              ...required(
                changing(
                  {
                    set: { foldedThrough: last.minute, ...(errors.length === 0 ? {} : { [ERRORS]: errors }) },
                    add: lasting(totals),
                  },
                  isAsRead,
                ),
              ),
            },
          },
        },
        ...[...hours].map(([hour, some]) => ({
          item: {
            Update: {
              Key: { PK: partitionOf(taskId), SK: hourSk(hour) },
              ...required(
                changing({
                  set: { expiresAt: expiryOf(hour, HOUR_LIFETIME_SECONDS) },
                  add: lasting(sumOf(some.map(({ figures }) => figures))),
                }),
              ),
            },
          },
        })),
      ]);
      // Stale: somebody else has folded meanwhile.
      return outcome === 'done' ? due.length : 0;
    },

    async forget(taskId, nowMs) {
      await update(table, {
        Key: totalsKey(taskId),
        ...changing(
          { set: { expiresAt: Math.ceil(nowMs / 1_000) + FORGOTTEN_AFTER_SECONDS } },
          present('PK'),
        ),
      });
    },
  };
}

function witnessOf(item: Item): WitnessMinute {
  const { receipts = 0, opens = 0, closes = 0, sample } = item;
  return {
    minute: minuteOfSk(item),
    lane: Number(String(item.SK).split('#')[2]),
    receipts: Number(receipts),
    opens: Number(opens),
    closes: Number(closes),
    // Written by this file only, which keeps the types.
    ...(sample === undefined ? {} : { sample: sample as SourceSample }),
  };
}

function sumOf(parts: readonly Figures[]): Figures {
  const sum = newFigures();
  for (const part of parts) addFigures(sum, part);
  return sum;
}

function periodsOf(parts: readonly { minute: number; figures: Figures }[]): FigurePeriod[] {
  const byStart = Map.groupBy(parts, ({ minute }) => minute);
  return [...byStart]
    .sort(([one], [other]) => one - other)
    .map(([minute, some]) => ({
      startMs: startOfMinuteMs(minute),
      figures: sumOf(some.map(({ figures }) => figures)),
    }));
}

/** What outlives its minute. */
function lasting(figures: Figures): Record<string, number> {
  return attributesOf({ ...figures, sourceMinutes: {} }, 0);
}

/** As many of the first minutes as one expression has room for; one at least. */
function withinOneStep<T extends { figures: Figures }>(minutes: readonly T[]): T[] {
  const sum = newFigures();
  const fitting: T[] = [];
  for (const one of minutes) {
    addFigures(sum, one.figures);
    if (fitting.length > 0 && Object.keys(lasting(sum)).length > MAX_ATTRIBUTES) break;
    fitting.push(one);
  }
  return fitting;
}

/** An update of a transaction needs its expression, which is there as something is set. */
function required<T extends { UpdateExpression: string | undefined }>(change: T) {
  return { ...change, UpdateExpression: change.UpdateExpression ?? '' };
}
