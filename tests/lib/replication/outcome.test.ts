import { describe, expect, it } from '@jest/globals';
import {
  BridgeError,
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
  GroupStoppedError,
  InvalidMessageError,
} from '../../../lib/domain/errors.ts';
import { outcomeOf, outcomeOfError } from '../../../lib/replication/outcome.ts';

const failed = (error: unknown) => ({ status: 'failed', error });
const topicHold = new BrokerHoldError('no topic', { code: 'TOPIC_NOT_FOUND', scope: 'topic' });
const clusterHold = new BrokerHoldError('no access', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' });

describe('outcomeOf', () => {
  it('takes only a clear answer for stored', () => {
    expect(outcomeOf({ status: 'stored', messageId: 'id' }, true)).toEqual({ kind: 'stored' });
  });

  it.each([
    undefined,
    null,
    'stored',
    true,
    1,
    [],
    {},
    { status: 'stored' },
    { status: 'stored', messageId: 7 },
    { status: 'STORED', messageId: 'id' },
    failed(undefined),
    failed(new Error('plain')),
    failed({ reaction: 'dead-letter' }),
  ])('retries the odd answer %j', (answer) => {
    expect(outcomeOf(answer, true)).toMatchObject({ kind: 'retry', error: { code: 'ANSWER_INVALID' } });
  });
});

describe('outcomeOfError', () => {
  it.each([
    [new BrokerUnavailableError('away'), 'retry', 'retry'],
    [new BrokerThrottledError('slower', { waitMs: 10 }), 'retry', 'retry'],
    [new InvalidMessageError('bad'), 'dead-letter', 'dead-letter'],
    [topicHold, 'hold', 'dead-letter'],
    [clusterHold, 'hold', 'hold'],
    [new GroupStoppedError('stopped'), 'retry', 'retry'],
    [new GroupStoppedError('stopped', { cause: new InvalidMessageError('bad') }), 'retry', 'retry'],
    [new GroupStoppedError('stopped', { cause: topicHold }), 'hold', 'dead-letter'],
    [new GroupStoppedError('stopped', { cause: clusterHold }), 'hold', 'hold'],
  ])('%#: %s makes %s for a fixed topic and %s for a rendered one', (error, fixed, rendered) => {
    expect(outcomeOfError(error, true).kind).toBe(fixed);
    expect(outcomeOfError(error, false).kind).toBe(rendered);
  });

  it('holds an error that asks for a person without naming topic or cluster', () => {
    const error = new BridgeError('odd', { code: 'ODD', reaction: 'hold', scope: 'message' });
    expect(outcomeOfError(error, false)).toEqual({ kind: 'hold', error });
  });

  it('retries what is no error of the bridge, and keeps it as the cause', () => {
    const cause = new RangeError('bug');
    expect(outcomeOfError(cause, true)).toMatchObject({
      kind: 'retry',
      error: { code: 'INTERNAL_ERROR', cause },
    });
  });
});
