import {
  type CancellationReason,
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { conditional, present } from '../../../../lib/adapters/dynamodb/expressions.ts';
import { remove, type Step, transact, untilFresh, update } from '../../../../lib/adapters/dynamodb/write.ts';

const Key = { PK: 'A', SK: 'META' };
const $metadata = {};
const message = 'refused';
const cancelled = (...CancellationReasons: CancellationReason[]) =>
  new TransactionCanceledException({ $metadata, message, CancellationReasons });
const conflict = { Code: 'TransactionConflict' };
const failed = { Code: 'ConditionalCheckFailed' };
const none = { Code: 'None' };

const send = jest.fn<(command: { input: object }) => Promise<object>>();
const waits: number[] = [];
const table = {
  documents: { send } as unknown as DynamoDBDocumentClient,
  tableName: 'table',
  wait: async (ms: number) => void waits.push(ms),
};
const step = (refusal?: Step['refusal']): Step => ({
  item: { ConditionCheck: { Key, ...conditional(present('PK')) } },
  ...(refusal === undefined ? {} : { refusal }),
});

beforeEach(() => {
  send.mockReset().mockResolvedValue({});
  waits.length = 0;
});

describe('transact', () => {
  it('names the table, asks for what is found, and gives each attempt a token of its own', async () => {
    send.mockRejectedValueOnce(cancelled(conflict)).mockResolvedValue({});
    await expect(transact(table, [step()])).resolves.toBe('done');
    const inputs = send.mock.calls.map(([{ input }]) => input as { ClientRequestToken: string });
    expect(inputs[0]).toMatchObject({
      TransactItems: [
        { ConditionCheck: { TableName: 'table', Key, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } },
      ],
    });
    expect(new Set(inputs.map(({ ClientRequestToken }) => ClientRequestToken)).size).toBe(2);
  });

  it('throws the refusal of the first step that failed, made of what was found', async () => {
    const Item = { version: { N: '3' }, kind: { S: 'mqtt' }, removing: { BOOL: true } };
    send.mockRejectedValue(cancelled(none, { ...failed, Item }, failed));
    const second = jest.fn<NonNullable<Step['refusal']>>(() => new Error('second'));
    await expect(transact(table, [step(), step(second), step(() => new Error('third'))])).rejects.toThrow(
      'second',
    );
    expect(second).toHaveBeenCalledWith({ version: 3, kind: 'mqtt', removing: true });
    expect(send).toHaveBeenCalledTimes(1);
  });

  it('is stale when the first step that failed has no refusal', async () => {
    send.mockRejectedValue(cancelled(failed, failed));
    await expect(transact(table, [step(), step(() => new Error('second'))])).resolves.toBe('stale');
  });

  it('tells a step that nothing was found', async () => {
    send.mockRejectedValue(cancelled({ ...failed, Item: {} }));
    const refusal = jest.fn<NonNullable<Step['refusal']>>(() => new Error('missing'));
    await expect(transact(table, [step(refusal)])).rejects.toThrow('missing');
    expect(refusal).toHaveBeenCalledWith(undefined);
  });

  it('decides nothing while a conflict stands beside a failed condition', async () => {
    send.mockRejectedValueOnce(cancelled(failed, conflict)).mockResolvedValueOnce({});
    await expect(transact(table, [step(() => new Error('too early')), step()])).resolves.toBe('done');
  });

  it.each(['ThrottlingError', 'ProvisionedThroughputExceeded'])('waits out %s', async (Code) => {
    send.mockRejectedValueOnce(cancelled({ Code })).mockResolvedValueOnce({});
    await expect(transact(table, [step()])).resolves.toBe('done');
  });

  it('throws what no repetition can help', async () => {
    const invalid = cancelled({ Code: 'ValidationError' });
    send.mockRejectedValue(invalid);
    await expect(transact(table, [step()])).rejects.toBe(invalid);
    const other = new Error('no network');
    send.mockRejectedValue(other);
    await expect(transact(table, [step()])).rejects.toBe(other);
    const empty = new TransactionCanceledException({ $metadata, message });
    send.mockRejectedValue(empty);
    await expect(transact(table, [step()])).rejects.toBe(empty);
  });

  it('gives up after a bounded number of conflicts, with what the caller can do', async () => {
    send.mockRejectedValue(cancelled(conflict));
    await expect(transact(table, [step()])).rejects.toMatchObject({ status: 503, code: 'STORE_BUSY' });
    expect(send).toHaveBeenCalledTimes(12);
    expect(waits).toHaveLength(11);
    // Within the time of one API call.
    expect(waits.reduce((sum, ms) => sum + ms)).toBeLessThan(5_000);
  });
});

describe('update', () => {
  it('answers the item as it is now', async () => {
    send.mockResolvedValue({ Attributes: { version: 2 } });
    await expect(update(table, { Key })).resolves.toEqual({ ok: true, item: { version: 2 } });
  });

  it('answers what was found where the condition did not hold', async () => {
    const Item = { version: { N: '7' } };
    send.mockRejectedValue(new ConditionalCheckFailedException({ $metadata, message, Item }));
    await expect(update(table, { Key })).resolves.toEqual({ ok: false, found: { version: 7 } });
  });

  it('waits out a transaction on the same item, and throws the rest', async () => {
    send.mockRejectedValueOnce(new TransactionConflictException({ $metadata, message }));
    await expect(update(table, { Key })).resolves.toMatchObject({ ok: true });
    send.mockRejectedValue(new Error('no network'));
    await expect(update(table, { Key })).rejects.toThrow('no network');
  });
});

describe('remove', () => {
  it('tells whether the item went', async () => {
    await expect(remove(table, { Key })).resolves.toEqual({ ok: true });
    send.mockRejectedValue(new ConditionalCheckFailedException({ $metadata, message }));
    await expect(remove(table, { Key })).resolves.toEqual({ ok: false, found: undefined });
  });
});

describe('untilFresh', () => {
  it('decides again while what was read is stale, a bounded number of times', async () => {
    const decide = jest.fn<() => Promise<string | undefined>>().mockResolvedValue(undefined);
    decide.mockResolvedValueOnce(undefined).mockResolvedValueOnce('decided');
    await expect(untilFresh(table, decide)).resolves.toBe('decided');
    expect(decide).toHaveBeenCalledTimes(2);
    await expect(untilFresh(table, decide)).rejects.toMatchObject({ code: 'STORE_BUSY' });
    expect(decide).toHaveBeenCalledTimes(2 + 12);
  });
});
