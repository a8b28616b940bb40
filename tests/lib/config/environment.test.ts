import { describe, expect, it } from '@jest/globals';
import { readEnvironment } from '../../../lib/config/environment.ts';
import { ConfigError } from '../../../lib/domain/errors/errors.ts';

const STACK_ARN =
  'arn:aws:cloudformation:eu-west-1:123456789012:stack/mqferry-dev/0a1b2c3d-aaaa-bbbb-cccc-121212121212';

describe('readEnvironment', () => {
  it('reads the named variables and fills in defaults', () => {
    const config = readEnvironment(
      ['TABLE_NAME', 'STACK_ARN', 'RULE_CONCURRENCY', 'ALLOWED_TOPIC_PREFIXES', 'KEEP_DATA', 'LOG_LEVEL'],
      {
        TABLE_NAME: 'table',
        STACK_ARN,
        RULE_CONCURRENCY: '250',
        ALLOWED_TOPIC_PREFIXES: 'a/, b/c',
        KEEP_DATA: '',
      },
    );
    expect(config).toEqual({
      TABLE_NAME: 'table',
      STACK_ARN,
      RULE_CONCURRENCY: 250,
      ALLOWED_TOPIC_PREFIXES: ['a/', 'b/c'],
      KEEP_DATA: false,
      LOG_LEVEL: 'INFO',
    });
  });

  it('names every bad variable at once, and no value', () => {
    const read = () =>
      readEnvironment(['TABLE_NAME', 'STACK_ARN', 'CONTROL_QUEUE_URL', 'RULE_CONCURRENCY', 'KEEP_DATA'], {
        TABLE_NAME: '',
        STACK_ARN: 'secret-value',
        CONTROL_QUEUE_URL: 'not a url',
        RULE_CONCURRENCY: '1',
        KEEP_DATA: 'yes',
      });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/TABLE_NAME: is missing; STACK_ARN: must be an ARN of a stack; CONTROL_QUEUE_URL/);
    expect(read).toThrow(/RULE_CONCURRENCY.*KEEP_DATA/);
    expect(read).not.toThrow(/secret-value|not a url/);
  });

  it('reads the process environment unless told otherwise', () => {
    expect(() => readEnvironment(['BATCH_FUNCTION_NAME'])).toThrow('BATCH_FUNCTION_NAME: is missing');
  });
});
