import { describe, expect, it } from '@jest/globals';
import {
  absent,
  all,
  any,
  atLeast,
  atMost,
  changing,
  conditional,
  differs,
  equals,
  oneOf,
  present,
  shorterThan,
} from '../../../../lib/adapters/dynamodb/expressions.ts';

describe('conditional', () => {
  it('refers to names and values by placeholders only', () => {
    expect(
      conditional(
        any(absent('PK'), all(equals('status', 'running'), differs('reason.code', 'X'), atMost('used', 3))),
      ),
    ).toEqual({
      ConditionExpression:
        '(attribute_not_exists(#PK)) OR ((#status = :v0) AND (#reason.#code <> :v1) AND (#used <= :v2))',
      ExpressionAttributeNames: {
        '#PK': 'PK',
        '#status': 'status',
        '#reason': 'reason',
        '#code': 'code',
        '#used': 'used',
      },
      ExpressionAttributeValues: { ':v0': 'running', ':v1': 'X', ':v2': 3 },
    });
  });

  it('leaves the values out where there are none', () => {
    expect(conditional(present('PK'))).toEqual({
      ConditionExpression: 'attribute_exists(#PK)',
      ExpressionAttributeNames: { '#PK': 'PK' },
    });
  });

  it('compares texts and numbers', () => {
    expect(conditional(atLeast('used', 3)).ConditionExpression).toBe('#used >= :v0');
  });

  it('asks for the length of a list, of one that is not there too', () => {
    expect(conditional(shorterThan('e', 20))).toEqual({
      ConditionExpression: '(attribute_not_exists(#e)) OR (size(#e) < :v0)',
      ExpressionAttributeNames: { '#e': 'e' },
      ExpressionAttributeValues: { ':v0': 20 },
    });
  });

  it('lists alternatives', () => {
    expect(conditional(oneOf('desired', ['a', 'b'])).ConditionExpression).toBe('#desired IN (:v0, :v1)');
  });
});

describe('changing', () => {
  it('puts values behind a list, or makes it', () => {
    expect(changing({ append: { e: ['x'] } })).toMatchObject({
      UpdateExpression: 'SET #e = list_append(if_not_exists(#e, :v0), :v1)',
      ExpressionAttributeValues: { ':v0': [], ':v1': ['x'] },
    });
  });

  it('writes every kind of change, and leaves undefined members alone', () => {
    expect(
      changing(
        { set: { a: 1, b: undefined }, setOnce: { c: 2 }, remove: ['d', 'e'], add: { f: -1 } },
        present('PK'),
      ),
    ).toEqual({
      UpdateExpression: 'SET #a = :v0, #c = if_not_exists(#c, :v1) REMOVE #d, #e ADD #f :v2',
      ConditionExpression: 'attribute_exists(#PK)',
      ExpressionAttributeNames: {
        '#a': 'a',
        '#c': 'c',
        '#d': 'd',
        '#e': 'e',
        '#f': 'f',
        '#PK': 'PK',
      },
      ExpressionAttributeValues: { ':v0': 1, ':v1': 2, ':v2': -1 },
    });
  });

  it('asks the condition alone where nothing is to change', () => {
    expect(changing({}, present('PK')).UpdateExpression).toBeUndefined();
  });
});
