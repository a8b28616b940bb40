import { randomUUID } from 'node:crypto';
import { DeleteTopicRuleCommand } from '@aws-sdk/client-iot';
import { UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { plantedPayload } from '../helpers/planted.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

let fixture: TaskFixture;
beforeAll(async () => {
  fixture = await openTaskFixture();
});
afterAll(() => fixture.close());

describe('a running task', () => {
  it('gets back what somebody deleted or switched off by hand, and delivers again', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const station = `r${randomUUID().slice(0, 8)}`;
    const taskId = await fixture.runningTask([`stations/${station}/status`], topic);
    const { rules, mappings } = await fixture.stack.resourcesOf(taskId);
    expect({ rules: rules.length, mappings: mappings.length }).toEqual({ rules: 1, mappings: 1 });
    await fixture.stack.cloud.iot.send(new DeleteTopicRuleCommand({ ruleName: rules[0] }));
    await fixture.stack.cloud.lambda.send(
      new UpdateEventSourceMappingCommand({ UUID: mappings[0], Enabled: false }),
    );

    await fixture.stack.audit();
    await eventually(
      async () => (await fixture.stack.resourcesOf(taskId)).rules,
      (found) => found.length === 1,
      { timeoutMs: 60_000, what: 'the rule is there again' },
    );
    await fixture.becomes(taskId, 'running');
    const events = (await fixture.api('GET', `/tasks/${taskId}/events`)).body.items as { code: string }[];
    expect(events.map(({ code }) => code)).toContain('DRIFT_REPAIRED');

    const publisher = await fixture.device();
    const read = fixture.stack.consume(topic, `g_${station}`, 1);
    await publisher.publishAsync(`stations/${station}/status`, plantedPayload('again'), { qos: 1 });
    expect((await read).map((message) => message.body.toString())).toEqual([plantedPayload('again')]);
  }, 180_000);
});
