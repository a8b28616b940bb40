import { describe, expect, it } from '@jest/globals';
import { readRuntimeResourcesConfig } from '../../../lib/config/runtime-resources.ts';
import { STACK_ARN } from '../../helpers/converge-world.ts';

const environment = {
  AWS_REGION: 'eu-west-1',
  TABLE_NAME: 'table',
  DEAD_LETTER_BUCKET: 'bucket',
  STACK_ARN,
  SERVICE: 'mqferry',
  STAGE: 'dev',
  BATCH_FUNCTION_NAME: 'batching',
};

describe('readRuntimeResourcesConfig', () => {
  it('empties the bucket unless the data stays', () => {
    expect(readRuntimeResourcesConfig(environment)).toMatchObject({ bucketName: 'bucket', keepData: false });
    expect(readRuntimeResourcesConfig({ ...environment, KEEP_DATA: 'true' })).toMatchObject({
      keepData: true,
    });
  });

  it('fails with every bad variable', () => {
    expect(() => readRuntimeResourcesConfig({ ...environment, KEEP_DATA: 'maybe', STACK_ARN: '' })).toThrow(
      /KEEP_DATA: .*STACK_ARN: is missing/,
    );
  });
});
