import { describe, expect, it } from '@jest/globals';
import { errorOfSqs, isNameTaken, isNoSuchQueue } from '../../../../lib/adapters/sqs/errors.ts';

const fault = (name: string) => Object.assign(new Error('text'), { name });

describe('errorOfSqs', () => {
  it.each([
    ['QueueDeletedRecently', 'QUEUE_DELETED_RECENTLY', 60_000],
    ['AWS.SimpleQueueService.QueueDeletedRecently', 'QUEUE_DELETED_RECENTLY', 60_000],
    ['OverLimit', 'CLOUD_THROTTLED', 5_000],
    ['RequestThrottled', 'CLOUD_THROTTLED', 2_000],
    ['QueueDoesNotExist', 'QUEUE_NOT_READY', 2_000],
    ['AWS.SimpleQueueService.NonExistentQueue', 'QUEUE_NOT_READY', 2_000],
  ])('reads %s as %s: come again after %i ms', (name, code, waitMs) => {
    expect(errorOfSqs(fault(name), 'x')).toMatchObject({ code, reaction: 'not-yet', waitMs });
  });
});

describe('isNoSuchQueue', () => {
  it('knows both names of it', () => {
    expect(isNoSuchQueue(fault('QueueDoesNotExist'))).toBe(true);
    expect(isNoSuchQueue(fault('AWS.SimpleQueueService.NonExistentQueue'))).toBe(true);
    expect(isNoSuchQueue(fault('QueueNameExists'))).toBe(false);
  });
});

describe('isNameTaken', () => {
  it('knows both names of it', () => {
    expect(isNameTaken(fault('QueueNameExists'))).toBe(true);
    expect(isNameTaken(fault('QueueAlreadyExists'))).toBe(true);
    expect(isNameTaken(fault('QueueDoesNotExist'))).toBe(false);
  });
});
