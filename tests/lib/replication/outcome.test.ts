import { describe, expect, it } from '@jest/globals';
import {
  BridgeError,
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
  GroupStoppedError,
  InvalidMessageError,
} from '../../../lib/domain/errors/errors.ts';
import { outcomeInRecovery, outcomeOf, outcomeOfError } from '../../../lib/replication/outcome.ts';

const failed = (error: unknown) => ({ status: 'failed', error });
const topicHold = new BrokerHoldError('no topic', { code: 'TOPIC_NOT_FOUND', scope: 'topic' });
const clusterHold = new BrokerHoldError('no access', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' });

describe('outcomeOf', () => {
  it('takes only a clear answer for stored', () => {
    expect(outcomeOf({ status: 'stored', messageId: 'id' })).toEqual({
      kind: 'stored',
      messageId: 'id',
    });
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
    expect(outcomeOf(answer)).toMatchObject({ kind: 'retry', error: { code: 'ANSWER_INVALID' } });
  });
});

describe('outcomeOfError', () => {
  it.each([
    [new BrokerUnavailableError('away'), 'retry'],
    [new BrokerThrottledError('slower', { waitMs: 10 }), 'retry'],
    [new InvalidMessageError('bad'), 'dead-letter'],
    [topicHold, 'hold'],
    [clusterHold, 'hold'],
    [new GroupStoppedError('stopped'), 'retry'],
    [new GroupStoppedError('stopped', { cause: new InvalidMessageError('bad') }), 'retry'],
    [new GroupStoppedError('stopped', { cause: new Error('odd') }), 'retry'],
  ])('%#: %s asks for %s', (error, kind) => {
    expect(outcomeOfError(error)).toEqual({ kind, error });
  });

  it.each([topicHold, clusterHold, new BrokerUnavailableError('away')])(
    'gives the rest of a group the outcome of what stopped it: %s',
    (cause) => {
      expect(outcomeOfError(new GroupStoppedError('stopped', { cause }))).toEqual(outcomeOfError(cause));
    },
  );

  it('holds an error that asks for a person without naming topic or cluster', () => {
    const error = new BridgeError('odd', { code: 'ODD', reaction: 'hold', scope: 'message' });
    expect(outcomeOfError(error)).toEqual({ kind: 'hold', error });
  });

  it('retries what is no error of the bridge, and keeps it as the cause', () => {
    const cause = new RangeError('bug');
    expect(outcomeOfError(cause)).toMatchObject({
      kind: 'retry',
      error: { code: 'INTERNAL_ERROR', cause },
    });
  });
});

describe('outcomeInRecovery', () => {
  it('tries again what is said of a topic, under its own code', () => {
    expect(outcomeInRecovery(outcomeOfError(topicHold))).toMatchObject({
      kind: 'retry',
      error: { code: 'TOPIC_NOT_FOUND', reaction: 'retry', cause: topicHold },
    });
  });

  it.each([clusterHold, new InvalidMessageError('bad'), new BrokerUnavailableError('away')])(
    'leaves %s',
    (error) => {
      expect(outcomeInRecovery(outcomeOfError(error))).toEqual(outcomeOfError(error));
    },
  );
});
