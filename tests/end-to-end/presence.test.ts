import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { losePower } from '../helpers/iot-client.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

const EVENTS = '$aws/events/presence';
/** Reads of at least one message each, or 20 s. */
const MAX_TURNS = 6;

let fixture: TaskFixture;
beforeAll(async () => {
  fixture = await openTaskFixture();
});
afterAll(() => fixture.close());

describe('a task with presence', () => {
  it('tells once of each charger that is lost, with will and reason, and of none that is back or has said goodbye', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const fleet = `f${randomUUID().slice(0, 8)}`;
    const taskId = await fixture.runningTask(
      [`${EVENTS}/connected/+`, `${EVENTS}/disconnected/+`, `${fleet}/+/status`],
      topic,
      {
        target: {
          clusterId: fixture.stack.clusters.rocketmq,
          topic,
          tag: '${payload.reason:-status}',
          keys: ['${clientId}'],
        },
        options: {
          presence: {
            debounceSeconds: 5,
            will: {
              topicFilter: `${fleet}/+/status`,
              clientId: `${fleet}-\${topic[2]}`,
              when: { value: '${payload.status:-}', equals: 'offline' },
            },
          },
        },
      },
    );
    const charger = (station: string) =>
      fixture.device({
        clientId: `${fleet}-${station}`,
        will: {
          topic: `${fleet}/${station}/status`,
          payload: Buffer.from(JSON.stringify({ status: 'offline', error: `E-${station}` })),
          qos: 1,
          retain: false,
        },
      });
    // Other tests' devices come and go at the same time: their events are told too.
    const isOurs = (clientId: unknown) => String(clientId).startsWith(fleet);

    const [flapping, leaving, lost] = await Promise.all(['flaps', 'leaves', 'lost'].map(charger));
    if (flapping === undefined || leaving === undefined || lost === undefined) throw new Error('no device');
    losePower(flapping);
    await leaving.endAsync();
    const back = await charger('flaps');
    losePower(lost);
    const read: Record<string, unknown>[] = [];
    const readUntil = async (count: number) => {
      for (let turns = 0; read.length < count && turns < MAX_TURNS; turns += 1) {
        for (const { body, tag, keys } of await fixture.stack.consume(topic, `g_${fleet}`, 1, 20_000)) {
          const offline = JSON.parse(body.toString());
          if (isOurs(offline.clientId)) read.push({ ...offline, tag, keys });
        }
      }
    };
    await readUntil(1);
    losePower(back);
    await readUntil(2);

    expect(read).toMatchObject(
      ['lost', 'flaps'].map((station) => ({
        tag: 'CONNECTION_LOST',
        keys: [`${fleet}-${station}`],
        event: 'offline',
        clientId: `${fleet}-${station}`,
        reason: 'CONNECTION_LOST',
        clientInitiated: false,
        will: { topic: `${fleet}/${station}/status`, payload: { error: `E-${station}` } },
      })),
    );
    const { totals } = await eventually(
      async () => (await fixture.api('GET', `/tasks/${taskId}/metrics`)).body,
      ({ totals: now }) => now.replicated >= 2 && now.deduplicated + now.filtered >= 6,
      { timeoutMs: 30_000, what: 'every event and will has its outcome' },
    );
    expect(totals.failed).toBe(0);
    expect(totals.consumed).toBe(totals.replicated + totals.filtered + totals.deduplicated + totals.inFlight);
  }, 180_000);

  it('is refused where it cannot be', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const body = (via: string) =>
      fixture.definition(['stations/+/status'], topic, { options: { via, presence: {} } });
    expect(await fixture.api('POST', '/tasks', body('session'))).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'options.presence', code: 'NOT_ON_THIS_PATH' }] },
    });
    expect(await fixture.api('POST', '/tasks', body('rule'))).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'source.topicFilters', code: 'PRESENCE_NEEDS_EVENTS' }] },
    });
  }, 60_000);
});
