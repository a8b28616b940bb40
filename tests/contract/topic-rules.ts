import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TopicRuleSpec, TopicRules } from '../../lib/ports/topic-rules.ts';

export interface TopicRulesUnderTest {
  rules: TopicRules;
  /** A specification with a name that nobody has used. */
  newSpec(): TopicRuleSpec;
  /** Waits until lists show what was done. */
  catchUp(): Promise<void>;
}

/** What every system of topic rules promises converge. */
export function describeTopicRules(name: string, build: () => Promise<TopicRulesUnderTest>): void {
  describe(`TopicRules, ${name}`, () => {
    let test: TopicRulesUnderTest;
    let spec: TopicRuleSpec;
    beforeEach(async () => {
      test = await build();
      spec = test.newSpec();
    });
    const get = () => test.rules.get(spec.name);

    it('makes a rule as specified, with its tags', async () => {
      await test.rules.create(spec);
      const rule = await get();
      expect(rule).toEqual({
        name: spec.name,
        arn: expect.stringContaining(spec.name),
        sql: spec.sql,
        enabled: spec.enabled,
        actionCount: 1,
        queueUrl: spec.queueUrl,
        errorQueueUrl: spec.errorQueueUrl,
        roleArn: spec.roleArn,
        form: 'ours',
      });
      expect(await test.rules.tags(rule?.arn ?? '')).toEqual(spec.tags);
    });

    it('brings a rule of the same stack that exists already to the specification', async () => {
      await test.rules.create({ ...spec, sql: spec.sql.replace(/'[^']+'$/, "'old'"), enabled: false });
      await test.catchUp();
      await test.rules.create({ ...spec, enabled: true });
      expect(await get()).toMatchObject({ sql: spec.sql, enabled: true });
    });

    it('leaves a rule alone that does not carry the tag of the stack', async () => {
      await test.rules.create({ ...spec, tags: { 'mqferry:stack': 'another' }, enabled: false });
      await test.catchUp();
      await expect(test.rules.create({ ...spec, enabled: true })).rejects.toMatchObject({
        code: 'RULE_NOT_OURS',
        reaction: 'failed',
      });
      expect(await get()).toMatchObject({ enabled: false });
    });

    it('replaces the whole rule, and says when there is none', async () => {
      expect(await test.rules.replace(spec)).toBe(false);
      await test.rules.create(spec);
      await test.catchUp();
      const sql = spec.sql.replace(/'[^']+'$/, "'new/+'");
      expect(await test.rules.replace({ ...spec, sql, enabled: false })).toBe(true);
      expect(await get()).toMatchObject({ sql, enabled: false, errorQueueUrl: spec.errorQueueUrl });
    });

    it('enables and disables, and says when there is none', async () => {
      expect(await test.rules.setEnabled(spec.name, true)).toBe(false);
      await test.rules.create({ ...spec, enabled: false });
      await test.catchUp();
      expect(await test.rules.setEnabled(spec.name, true)).toBe(true);
      expect(await get()).toMatchObject({ enabled: true });
      await test.catchUp();
      expect(await test.rules.setEnabled(spec.name, false)).toBe(true);
      expect(await get()).toMatchObject({ enabled: false, sql: spec.sql });
    });

    it('deletes a rule, and deletes what is gone without an error', async () => {
      await test.rules.create(spec);
      const arn = (await get())?.arn ?? '';
      await test.catchUp();
      await test.rules.delete(spec.name);
      await test.catchUp();
      await test.rules.delete(spec.name);
      expect(await get()).toBeUndefined();
      expect(await test.rules.tags(arn)).toEqual({});
    });

    it('lists the rules of a prefix', async () => {
      await test.rules.create(spec);
      const other = test.newSpec();
      await test.rules.create({ ...other, name: `other_${other.name}` });
      await test.catchUp();
      expect(await test.rules.list(spec.name)).toEqual([spec.name]);
    });

    it('fails when the SQL is refused', async () => {
      await expect(test.rules.create({ ...spec, sql: 'nonsense' })).rejects.toMatchObject({
        code: 'RULE_SQL_REFUSED',
        reaction: 'failed',
      });
    });
  });
}
