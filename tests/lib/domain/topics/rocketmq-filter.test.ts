import { describe, expect, it } from '@jest/globals';
import { checkRocketmqFilter, passesAll } from '../../../../lib/domain/topics/rocketmq-filter.ts';

const tag = (expression: string) => ({ type: 'tag', expression }) as const;
const sql92 = (expression: string) => ({ type: 'sql92', expression }) as const;

describe('checkRocketmqFilter', () => {
  it.each(['*', ' * ', 'open', 'open||close', 'open || close || a b', '50%'])(
    'takes the tags %j',
    (expression) => {
      expect(checkRocketmqFilter(tag(expression))).toBeUndefined();
    },
  );

  it.each([
    ['a || *', /"\*" stands alone/],
    ['a ||', /there has to be a tag/],
    [' ', /there has to be a tag/],
    ['a | b', /hold no "\|"/],
    ['a ||| b', /hold no "\|"/],
    ['a\u0007', /no control character/],
  ])('refuses the tags %j', (expression, message) => {
    expect(checkRocketmqFilter(tag(expression))).toEqual({
      code: 'FILTER_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('says where an expression of SQL92 is wrong', () => {
    expect(checkRocketmqFilter(sql92('a = 1'))).toBeUndefined();
    expect(checkRocketmqFilter(sql92('a == 1'))).toEqual({
      code: 'FILTER_INVALID',
      message: expect.stringMatching(/^at character 4: /),
    });
  });
});

describe('passesAll', () => {
  it('knows the filters that hold nothing back', () => {
    expect([undefined, tag('*'), tag(' * ')].map(passesAll)).toEqual([true, true, true]);
    expect([tag('a'), sql92('TRUE')].map(passesAll)).toEqual([false, false]);
  });
});
