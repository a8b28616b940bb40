import { describe, expect, it } from '@jest/globals';
import { RequestError } from '../../../../lib/domain/errors/errors.ts';
import * as refusals from '../../../../lib/domain/errors/request-errors.ts';

const task = { desired: 'paused', status: 'pausing' } as const;

describe('request errors', () => {
  it.each([
    [404, refusals.taskNotFound('t')],
    [409, refusals.taskNameTaken('n')],
    [412, refusals.versionMismatch('task t', 3)],
    [428, refusals.ifMatchRequired()],
    [409, refusals.taskRunning(task, 'an edit')],
    [409, refusals.taskDeleting('t')],
    [409, refusals.concurrencyExhausted(5, 3, 8)],
    [409, refusals.idempotencyKeyReused()],
    [404, refusals.clusterNotFound('c')],
    [409, refusals.clusterChanged('c')],
    [409, refusals.clusterInUse('c', 1, 'delete it first')],
    [409, refusals.clusterKindFixed('c', 'mqtt')],
    [404, refusals.topicNotFound('c', 't')],
    [409, refusals.topicInUse('c', 't', 2)],
    [409, refusals.backlogNotEmpty(7, 'about 7 messages wait')],
    [409, refusals.stackRemoving()],
    [400, refusals.cursorInvalid()],
    [503, refusals.storeBusy()],
  ])('are refusals with status %d, a code and a sentence', (status, error) => {
    expect(error).toBeInstanceOf(RequestError);
    expect(error.status).toBe(status);
    expect(error.code).toMatch(/^[A-Z]+(_[A-Z]+)+$/);
    expect(error.message).toMatch(/^[a-z][^\n]{15,}$/);
  });

  it('count in words', () => {
    expect(refusals.clusterInUse('c', 1, 'x').message).toContain('1 task:');
    expect(refusals.topicInUse('c', 't', 2).message).toContain('2 tasks:');
  });

  it('say of a running task what to do, of a busy one what to wait for', () => {
    expect(refusals.taskRunning({ desired: 'running', status: 'running' }, 'an edit').message).toBe(
      'the task is wanted running (status running): an edit needs a pause first',
    );
    expect(refusals.taskRunning(task, 'a deletion').message).toBe(
      'the task is still pausing: a deletion has to wait until it is paused',
    );
  });
});
