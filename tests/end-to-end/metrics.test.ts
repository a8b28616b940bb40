import { randomUUID } from 'node:crypto';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { emfFaults } from '../helpers/emf-schema.ts';
import { eventually } from '../helpers/eventually.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

let fixture: TaskFixture;
beforeAll(async () => {
  fixture = await openTaskFixture();
});
afterAll(() => fixture.close());

/** Lines of a function's log that are metrics. */
async function metricLines(functionName: string): Promise<Record<string, unknown>[]> {
  const logs = new CloudWatchLogsClient(fixture.stack.config);
  const logGroupName = `/aws/lambda/mqferry-local-${functionName}`;
  const lines: Record<string, unknown>[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < 200; page += 1) {
    const answer = await logs.send(
      new FilterLogEventsCommand({ logGroupName, ...(nextToken === undefined ? {} : { nextToken }) }),
    );
    for (const { message = '' } of answer.events ?? []) {
      // The emulator may put several lines into one event.
      for (const line of message.split('\n')) if (line.includes('"_aws"')) lines.push(JSON.parse(line));
    }
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return lines;
}

describe('metrics of the deployed service', () => {
  it('are told for each batch and each tick, valid against the specification', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const station = `m${randomUUID().slice(0, 8)}`;
    const taskId = await fixture.runningTask([`stations/${station}/status`], topic, {
      options: { metrics: 'task' },
    });
    const publisher = await fixture.device();
    for (const payload of ['a', 'b', 'c']) {
      await publisher.publishAsync(`stations/${station}/status`, payload, { qos: 1 });
    }
    await fixture.stack.consume(topic, `metrics_${station}`, 3);
    const lines = await eventually(
      () => metricLines('mqtt-to-rocketmq'),
      (all) => sumOf(all.filter((line) => line.taskId === taskId)) === 3,
      { timeoutMs: 30_000, what: 'the metrics of three messages are in the log' },
    );
    expect(lines.flatMap(emfFaults)).toEqual([]);
    expect(lines.find((line) => line.taskId === taskId)).toMatchObject({
      message: 'batch forwarded',
      service: 'mqferry',
      stage: 'local',
      direction: 'mqtt-to-rocketmq',
      failed: 0,
    });

    await fixture.stack.audit();
    const ticks = await eventually(
      () => metricLines('converge'),
      (all) => all.length > 0,
      { timeoutMs: 90_000, what: 'a tick has told how tasks do' },
    );
    expect(ticks.flatMap(emfFaults)).toEqual([]);
    expect(Number(ticks.at(-1)?.tasksRunning)).toBeGreaterThan(0);
  }, 180_000);
});

function sumOf(lines: readonly Record<string, unknown>[]): number {
  return lines.reduce((total, { replicated }) => total + Number(replicated), 0);
}
