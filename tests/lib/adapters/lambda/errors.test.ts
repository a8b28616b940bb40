import { describe, expect, it } from '@jest/globals';
import { errorOfLambda } from '../../../../lib/adapters/lambda/errors.ts';

const fault = (name: string, message = 'text') => Object.assign(new Error(message), { name });

describe('errorOfLambda', () => {
  it.each([
    [fault('ResourceInUseException'), 'MAPPING_IN_USE', 'not-yet'],
    [fault('ResourceConflictException'), 'MAPPING_CONFLICT', 'not-yet'],
    [fault('TooManyRequestsException'), 'CLOUD_THROTTLED', 'not-yet'],
    [
      fault(
        'InvalidParameterValueException',
        'The provided execution role does not have permissions to call ReceiveMessage',
      ),
      'FUNCTION_ROLE_NOT_READY',
      'not-yet',
    ],
    [
      fault(
        'InvalidParameterValueException',
        'Queue visibility timeout: 20 seconds is less than Function timeout: 30 seconds',
      ),
      'VISIBILITY_TOO_SHORT',
      'failed',
    ],
    [
      fault(
        'InvalidParameterValueException',
        'Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist',
      ),
      'QUEUE_NOT_READY',
      'not-yet',
    ],
    [fault('InvalidParameterValueException', 'Unsupported'), 'CLOUD_REFUSED', 'failed'],
  ])('reads %p as %s: %s', (error, code, reaction) => {
    expect(errorOfLambda(error, 'x')).toMatchObject({ code, reaction });
  });
});
