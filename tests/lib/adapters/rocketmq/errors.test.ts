import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { breaksConnection, errorOfCall, errorOfStatus } from '../../../../lib/adapters/rocketmq/errors.ts';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';

function serviceError(code: number, details: string): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}

describe('errorOfStatus', () => {
  it('says what was asked, the status, its meaning and the cluster’s own words', () => {
    expect(errorOfStatus(40_402, 'No topic route info', 'query-route').message).toBe(
      'querying the route: RocketMQ answered 40402: the topic does not exist ("No topic route info")',
    );
  });

  it('quotes 200 characters, no control characters, and nothing about credentials', () => {
    const { message } = errorOfStatus(50_001, `a\n\u0001b${'x'.repeat(500)}`, 'send-message');
    expect(message).toContain('("a bxxx');
    expect(message.length).toBeLessThan(300);
    expect(errorOfStatus(40_100, 'user AK not found', 'send-message').message).not.toContain('AK');
  });

  it('doubts about storing only what was sent', () => {
    expect(errorOfStatus(50_400, '', 'send-message').maybeStored).toBe(true);
    expect(errorOfStatus(50_400, '', 'query-route').maybeStored).toBe(false);
  });
});

describe('errorOfCall', () => {
  it('keeps the cause', () => {
    const cause = serviceError(14, 'Connection dropped');
    expect(errorOfCall(cause, 'send-message')).toMatchObject({
      code: 'TARGET_UNAVAILABLE',
      maybeStored: true,
      cause,
      message: 'sending to RocketMQ: gRPC status 14: the connection was lost ("Connection dropped")',
    });
  });

  it('hands on an error that is ours already', () => {
    const ours = new BrokerUnavailableError('ours');
    expect(errorOfCall(ours, 'send-message')).toBe(ours);
  });

  it('retries what is no error of gRPC', () => {
    const cause = new RangeError('bug');
    expect(errorOfCall(cause, 'send-message')).toMatchObject({
      reaction: 'retry',
      code: 'TARGET_CALL_FAILED',
      maybeStored: true,
      cause,
    });
  });
});

describe('breaksConnection', () => {
  it.each([4, 13, 14])('is true for gRPC status %i', (code) => {
    expect(breaksConnection(serviceError(code, ''))).toBe(true);
  });

  it.each([serviceError(8, ''), serviceError(16, ''), new Error('other'), undefined])(
    'is false for %s',
    (error) => {
      expect(breaksConnection(error)).toBe(false);
    },
  );
});
