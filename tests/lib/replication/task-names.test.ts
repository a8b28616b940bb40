import { describe, expect, it } from '@jest/globals';
import { createResourceNames } from '../../../lib/domain/tasks/resource-names.ts';
import { encodeLargeEnvelope } from '../../../lib/mapping/session-envelope.ts';
import { taskIdOfQueueArn, taskIdOfRuleName, taskOfEnvelope } from '../../../lib/replication/task-names.ts';
import { envelopeText, TASK_ID } from '../../helpers/rule-path.ts';

const names = createResourceNames({
  service: 'mqferry',
  stage: 'dev_x',
  stackArn:
    'arn:aws:cloudformation:eu-west-1:123456789012:stack/mqferry-dev/0a1b2c3d-1111-2222-3333-444455556666',
});

describe('taskIdOfQueueArn', () => {
  it.each(['aws', 'aws-cn'])('finds the task of a queue that converge made (%s)', (partition) => {
    const arn = `arn:${partition}:sqs:eu-west-1:123456789012:${names.queueName(TASK_ID)}`;
    expect(taskIdOfQueueArn(arn)).toBe(TASK_ID);
  });

  it.each(['', 'arn:aws:sqs:eu-west-1:1:q', `arn:aws:sns:eu-west-1:1:x-${TASK_ID}`, `${TASK_ID}`])(
    'finds none in "%s"',
    (arn) => {
      expect(taskIdOfQueueArn(arn)).toBeUndefined();
    },
  );
});

describe('taskIdOfRuleName', () => {
  it.each([0, 9, 19])('finds the task of rule %i that converge made', (ruleNumber) => {
    expect(taskIdOfRuleName(names.ruleName(TASK_ID, ruleNumber))).toBe(TASK_ID);
  });

  it.each(['', 'somebody_elses_rule', `x_${TASK_ID}`, `x_${TASK_ID}_100`])('finds none in "%s"', (name) => {
    expect(taskIdOfRuleName(name)).toBeUndefined();
  });
});

describe('taskOfEnvelope', () => {
  it('reads task, version and topic', () => {
    expect(taskOfEnvelope(envelopeText({ r: 4 }))).toEqual({
      taskId: TASK_ID,
      version: 4,
      topicName: 'stations/7/status',
    });
  });

  it('reads them of an envelope that lies elsewhere', () => {
    const text = encodeLargeEnvelope({ taskId: TASK_ID, version: 5, key: 'overflow/1' });
    expect(taskOfEnvelope(text)).toEqual({ taskId: TASK_ID, version: 5 });
  });

  it.each(['', '{}', 'null', '{"v":1}'])('finds none in %j', (text) => {
    expect(taskOfEnvelope(text)).toBeUndefined();
  });
});
