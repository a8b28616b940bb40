import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createResourceNames } from '../../../../lib/domain/tasks/resource-names.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';
const stackArn =
  'arn:aws:cloudformation:eu-west-1:123456789012:stack/mqferry-dev/0a1b2c3d-1111-2222-3333-444455556666';
const names = createResourceNames({ service: 'mqferry', stage: 'dev', stackArn });
const ulid = fc
  .array(fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'), { minLength: 25, maxLength: 25 })
  .map((letters) => `0${letters.join('')}`);

describe('createResourceNames', () => {
  it('names queues and rules after service, stage, stack and task', () => {
    expect(names.queueName(TASK)).toBe(`mqferry-dev-0a1b2c3d-${TASK}`);
    expect(names.ruleName(TASK, 9)).toBe(`mqferry_dev_0a1b2c3d_${TASK}_9`);
    expect(names.tags(TASK)).toEqual({ 'mqferry:stack': stackArn, 'mqferry:task': TASK });
  });

  it('reads the task back from every name it makes', () => {
    fc.assert(
      fc.property(ulid, fc.nat({ max: 99 }), (taskId, ruleNumber) => {
        expect(names.taskIdOfQueue(names.queueName(taskId))).toBe(taskId);
        expect(names.taskIdOfQueue(names.queueName(taskId, true))).toBe(taskId);
        expect(names.taskOfRule(names.ruleName(taskId, ruleNumber))).toEqual({ taskId, ruleNumber });
      }),
    );
  });

  it('has no hyphen in the names of rules', () => {
    const hyphened = createResourceNames({ service: 'my-ferry', stage: 'pre-prod_2', stackArn });
    expect(hyphened.ruleName(TASK, 0)).toBe(`my_ferry_pre_prod_2_0a1b2c3d_${TASK}_0`);
    expect(hyphened.ruleName(TASK, 0)).toMatch(/^[A-Za-z0-9_]{1,128}$/);
  });

  it.each([
    `mqferry-dev_x-0a1b2c3d-${TASK}`,
    `mqferry-dev-ffffffff-${TASK}`,
    'mqferry-dev-0a1b2c3d-control.fifo',
    `mqferry-dev-0a1b2c3d-${TASK}-more`,
    `mqferry-dev-0a1b2c3d-${TASK}.fif`,
    `mqferry-dev-0a1b2c3d-${TASK}.fifo.fifo`,
    `mqferry-dev-0a1b2c3d-${TASK.toLowerCase()}`,
    `mqferry-dev-0a1b2c3d-8${TASK.slice(1)}`,
    '',
  ])('knows no task of the queue "%s"', (name) => {
    expect(names.taskIdOfQueue(name)).toBeUndefined();
  });

  it.each([
    `mqferry_dev_x_0a1b2c3d_${TASK}_0`,
    `mqferry_dev_0a1b2c3d_${TASK}`,
    `mqferry_dev_0a1b2c3d_${TASK}_00`,
    `mqferry_dev_0a1b2c3d_${TASK}_100`,
    `mqferry_dev_0a1b2c3d_${TASK}_x`,
    `prefix_mqferry_dev_0a1b2c3d_${TASK}_0`,
  ])('knows no task of the rule "%s"', (name) => {
    expect(names.taskOfRule(name)).toBeUndefined();
  });

  it('takes a stack for its own by its whole ARN only', () => {
    expect(names.isTagged({ 'mqferry:stack': stackArn, other: 'x' })).toBe(true);
    expect(names.isTagged({ 'mqferry:stack': `${stackArn}0` })).toBe(false);
    expect(names.isTagged({})).toBe(false);
  });

  it('refuses names that SQS would refuse', () => {
    const make = (service: string, stage: string) => createResourceNames({ service, stage, stackArn });
    expect(make('s'.repeat(26), 'p'.repeat(12)).queueName(TASK, true)).toHaveLength(80);
    expect(() => make('s'.repeat(26), 'p'.repeat(13))).toThrow('at most 38 characters together');
    expect(() => make('my.service', 'dev')).toThrow('must consist of');
    expect(() => createResourceNames({ service: 's', stage: 'd', stackArn: 'arn:none' })).toThrow(
      'STACK_ARN',
    );
  });
});
