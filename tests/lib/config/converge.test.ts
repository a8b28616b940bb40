import { describe, expect, it } from '@jest/globals';
import { readConvergeConfig } from '../../../lib/config/converge.ts';
import {
  DEAD_LETTER_ARN,
  DEAD_LETTER_FIFO_ARN,
  DEAD_LETTER_URL,
  STACK_ARN,
} from '../../helpers/converge-world.ts';

const environment = {
  AWS_REGION: 'eu-west-1',
  TABLE_NAME: 'table',
  CONTROL_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/control.fifo',
  DEAD_LETTER_QUEUE_URL: DEAD_LETTER_URL,
  DEAD_LETTER_QUEUE_ARN: DEAD_LETTER_ARN,
  DEAD_LETTER_FIFO_QUEUE_ARN: DEAD_LETTER_FIFO_ARN,
  STACK_ARN,
  SERVICE: 'mqferry',
  STAGE: 'dev',
  RULE_ROLE_ARN: 'arn:aws:iam::123456789012:role/rules',
  BATCH_FUNCTION_NAME: 'batching',
  PULL_FUNCTION_NAME: 'pulling',
  SESSION_FUNCTION_NAME: 'sessions',
  PROBE_FUNCTION_NAME: 'asking',
};

describe('readConvergeConfig', () => {
  it('makes the settings of the specifications from the environment', () => {
    const config = readConvergeConfig(environment);
    expect(config).toMatchObject({ region: 'eu-west-1', logLevel: 'INFO', tableName: 'table' });
    expect(config.settings).toMatchObject({
      batchFunctionName: 'batching',
      deadLetterQueueArn: DEAD_LETTER_ARN,
    });
    expect(config.settings.names.queuePrefix).toBe('mqferry-dev-0a1b2c3d-');
  });

  it('knows where the messages of AWS IoT go on an emulator', () => {
    expect(readConvergeConfig(environment).emulator).toEqual({});
    const emulatorUrl = 'http://127.0.0.1:4566';
    expect(readConvergeConfig({ ...environment, AWS_ENDPOINT_URL: emulatorUrl }).emulator).toEqual({
      emulatorUrl,
    });
  });

  it('fails with every bad variable', () => {
    expect(() => readConvergeConfig({ ...environment, STAGE: '', RULE_ROLE_ARN: 'no' })).toThrow(
      /STAGE: is missing; RULE_ROLE_ARN: must be an ARN of an IAM role/,
    );
  });
});
