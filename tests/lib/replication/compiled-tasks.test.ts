import { describe, expect, it } from '@jest/globals';
import { createCompiledTasks } from '../../../lib/replication/compiled-tasks.ts';
import { ruleTask } from '../../helpers/rule-path.ts';

describe('createCompiledTasks', () => {
  it('compiles once per task and version', () => {
    const compile = createCompiledTasks();
    const first = compile(ruleTask());
    expect(compile(ruleTask())).toBe(first);
    expect(compile(ruleTask({}, { version: 4 }))).not.toBe(first);
    expect(compile(ruleTask({}, { taskId: 'other' }))).not.toBe(first);
  });

  it('tells a fixed topic from a rendered one', () => {
    const compile = createCompiledTasks();
    const fixedTopic = (topic: string, version: number) =>
      compile(ruleTask({ target: { clusterId: 'business', topic } }, { version }))?.hasFixedTopic;
    expect(fixedTopic('charger_status', 1)).toBe(true);
    expect(fixedTopic('charger_$${x}', 2)).toBe(true);
    expect(fixedTopic('charger_${topic[1]}', 3)).toBe(false);
  });

  it('matches filters as AWS IoT does on the rule path, and as MQTT does on the session path', () => {
    const compile = createCompiledTasks();
    const source = { clusterId: 'devices', topicFilters: ['a/#'] };
    expect(compile(ruleTask({ source }, { version: 1 }))?.selectRule('a')).toBeUndefined();
    expect(compile(ruleTask({ source, options: { via: 'session' } }, { version: 2 }))?.selectRule('a')).toBe(
      0,
    );
  });

  it('answers nothing for a task of the other direction', () => {
    const source = { clusterId: 'business', topic: 'charger_commands' };
    const target = { clusterId: 'devices', topic: 'stations/${key}/commands' };
    expect(createCompiledTasks()(ruleTask({ source, target }))).toBeUndefined();
  });

  it('throws for a template that does not parse', () => {
    const target = { clusterId: 'business', topic: '${' };
    expect(() => createCompiledTasks()(ruleTask({ target }))).toThrow(TypeError);
  });

  it('keeps the 200 compiled last', () => {
    const compile = createCompiledTasks();
    const versions = Array.from({ length: 201 }, (_, version) =>
      compile(ruleTask({}, { version: version + 1 })),
    );
    expect(compile(ruleTask({}, { version: 2 }))).toBe(versions[1]);
    expect(compile(ruleTask({}, { version: 1 }))).not.toBe(versions[0]);
  });
});
