import { describe, expect, it } from '@jest/globals';
import { queueUrlOf } from '../../../../lib/adapters/sqs/queue-url.ts';

describe('queueUrlOf', () => {
  it.each([
    ['arn:aws:sqs:eu-west-1:123456789012:queue', 'https://sqs.eu-west-1.amazonaws.com/123456789012/queue'],
    ['arn:aws-cn:sqs:cn-north-1:123456789012:q', 'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q'],
    [
      'arn:aws-us-gov:sqs:us-gov-west-1:123456789012:q.fifo',
      'https://sqs.us-gov-west-1.amazonaws.com/123456789012/q.fifo',
    ],
  ])('of %s is %s', (arn, url) => {
    expect(queueUrlOf(arn)).toBe(url);
  });

  it.each(['', 'queue', 'arn:aws:sns:eu-west-1:1:q', 'arn:aws:sqs:eu-west-1:1:', 'arn:aws:sqs::1:q'])(
    'refuses "%s"',
    (arn) => {
      expect(() => queueUrlOf(arn)).toThrow('is not the ARN of an SQS queue');
    },
  );
});
