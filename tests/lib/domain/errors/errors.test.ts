import { describe, expect, it } from '@jest/globals';
import {
  BrokerThrottledError,
  BrokerUnavailableError,
  PayloadTooLargeError,
} from '../../../../lib/domain/errors/errors.ts';

describe('BridgeError', () => {
  it('carries the reaction of its leaf, and keeps the cause', () => {
    const cause = new Error('socket hang up');
    const error = new BrokerUnavailableError('sending to RocketMQ: no answer', { cause, maybeStored: true });
    expect(error).toMatchObject({
      name: 'BrokerUnavailableError',
      code: 'TARGET_UNAVAILABLE',
      reaction: 'retry',
      scope: 'cluster',
      maybeStored: true,
      cause,
    });
  });

  it('lets a leaf refine its code but not its reaction', () => {
    expect(new PayloadTooLargeError('body of 5 MiB', { code: 'BODY_TOO_LARGE' })).toMatchObject({
      code: 'BODY_TOO_LARGE',
      reaction: 'dead-letter',
      maybeStored: false,
    });
  });

  it('carries the wait a throttling target asked for', () => {
    expect(new BrokerThrottledError('too many requests', { waitMs: 250 })).toMatchObject({
      reaction: 'throttle',
      waitMs: 250,
    });
  });
});
