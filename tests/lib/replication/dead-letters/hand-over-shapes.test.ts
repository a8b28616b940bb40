import { describe, expect, it } from '@jest/globals';
import { type DeadLetterHandOver, encodeHandOver } from '../../../../lib/domain/dead-letters/dead-letter.ts';
import {
  deadLetterOf,
  type HandOverRecord,
} from '../../../../lib/replication/dead-letters/hand-over-shapes.ts';
import { envelopeText, NOW_MS, QUEUE_ARN, TASK_ID } from '../../../helpers/rule-path.ts';

const record = (body: string, changes: Partial<HandOverRecord> = {}): HandOverRecord => ({
  recordId: 'hand-over-1',
  body,
  receiveCount: 1,
  sentTimeMs: NOW_MS - 5_000,
  firstReceiveTimeMs: NOW_MS - 1_000,
  ...changes,
});

const entry: DeadLetterHandOver = {
  taskId: TASK_ID,
  version: 3,
  code: 'TEMPLATE_VALUE_MISSING',
  reason: 'the message has no value for x',
  recordId: 'source-1',
  envelope: envelopeText({ payload: Buffer.from([0, 255]) }),
  attempts: 4,
  firstSeenAtMs: NOW_MS - 60_000,
  failedAtMs: NOW_MS - 2_000,
};

/** As AWS IoT sends it to an error action. */
const ruleError = {
  ruleName: `mqferry_dev_0a1b2c3d_${TASK_ID}_0`,
  topic: 'stations/7/status',
  cloudwatchTraceId: '7e146a2c-95b5-6caf-98b9-50e3969734c7',
  clientId: 'charger-7',
  base64OriginalPayload: 'b2ZmbGluZQ==',
  failures: [
    {
      failedAction: 'SqsAction',
      failedResource: 'https://sqs.eu-west-1.amazonaws.com/123456789012/mqferry',
      errorMessage: 'Failed to send message to SQS. AccessDenied',
    },
  ],
};

describe('deadLetterOf', () => {
  it('keeps what the batching function handed over, with the envelope as it was', () => {
    const { recordId: _, envelope, ...told } = entry;
    expect(deadLetterOf(record(encodeHandOver(entry)), NOW_MS)).toEqual({
      ...told,
      deadLetterId: expect.stringMatching(/^[0-9A-Z]{26}$/),
      origin: 'forward',
      sourceTopic: 'stations/7/status',
      body: envelope,
      storedAtMs: NOW_MS,
    });
    const more = { targetTopic: 'charger_status', tries: 3, lastCode: 'TARGET_ERROR' };
    const sent = { ...entry, ...more };
    expect(deadLetterOf(record(encodeHandOver(sent)), NOW_MS)).toMatchObject(more);
  });

  it('makes one dead letter of a record that was handed over twice', () => {
    const again = { ...entry, attempts: 5, failedAtMs: NOW_MS };
    const first = deadLetterOf(record(encodeHandOver(entry)), NOW_MS);
    const second = deadLetterOf(record(encodeHandOver(again), { recordId: 'hand-over-2' }), NOW_MS + 9);
    expect(second.deadLetterId).toBe(first.deadLetterId);
  });

  it('takes an envelope that its queue gave up', () => {
    const body = envelopeText({ r: 2 });
    expect(deadLetterOf(record(body, { receiveCount: 1, sourceQueueArn: QUEUE_ARN }), NOW_MS)).toMatchObject({
      taskId: TASK_ID,
      origin: 'queue',
      version: 2,
      code: 'QUEUE_GAVE_UP',
      body,
      firstSeenAtMs: NOW_MS - 5_000,
      failedAtMs: NOW_MS - 1_000,
    });
  });

  it('finds the task of what a queue gave up by the envelope where SQS does not name the queue', () => {
    expect(deadLetterOf(record(envelopeText()), NOW_MS)).toMatchObject({
      taskId: TASK_ID,
      code: 'QUEUE_GAVE_UP',
    });
  });

  it('finds it by the queue where the text is no envelope', () => {
    const given = record('<not json>', { sourceQueueArn: QUEUE_ARN });
    expect(deadLetterOf(given, NOW_MS)).toMatchObject({
      taskId: TASK_ID,
      code: 'QUEUE_GAVE_UP',
      body: '<not json>',
    });
  });

  it('takes what a rule could not send', () => {
    const body = JSON.stringify(ruleError);
    const deadLetter = deadLetterOf(record(body), NOW_MS);
    expect(deadLetter).toMatchObject({ taskId: TASK_ID, origin: 'rule', code: 'RULE_ACTION_FAILED', body });
    expect(deadLetter.reason).toContain('SqsAction: Failed to send message to SQS. AccessDenied');
    expect(deadLetter.reason).not.toContain('b2ZmbGluZQ==');
  });

  it.each([
    { ...ruleError, failures: undefined },
    { ...ruleError, failures: [], clientId: undefined },
  ])('takes a rule error with less in it (%#)', (document) => {
    expect(deadLetterOf(record(JSON.stringify(document)), NOW_MS)).toMatchObject({ origin: 'rule' });
  });

  it.each([
    '',
    'text',
    'null',
    '[]',
    '{"v":1}',
    '{"mqferryDeadLetter":2}',
    JSON.stringify({ ...entry }),
    JSON.stringify({ ...ruleError, ruleName: 7 }),
  ])('keeps %j, whatever it is', (body) => {
    expect(deadLetterOf(record(body), NOW_MS)).toMatchObject({
      taskId: 'UNKNOWN',
      origin: 'unknown',
      code: 'UNKNOWN_SHAPE',
      body,
    });
  });

  it("keeps somebody else's rule error under no task", () => {
    const body = JSON.stringify({ ...ruleError, ruleName: 'my_rule' });
    expect(deadLetterOf(record(body), NOW_MS)).toMatchObject({ taskId: 'UNKNOWN', origin: 'rule' });
  });
});
