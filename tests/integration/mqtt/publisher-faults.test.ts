import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../../local/ports.ts';
import { errorOf, sampleMessage } from '../../contract/mqtt-publisher.ts';
import { eventually } from '../../helpers/eventually.ts';
import { openPublisher, startTestBroker } from './test-broker.ts';

const port = await freePort();
const user = { username: 'factory', password: 'right' };
const url = `mqtt://127.0.0.1:${port}`;
const soon = () => ({ deadlineMs: Date.now() + 10_000 });

let broker: Awaited<ReturnType<typeof startTestBroker>>;

beforeAll(async () => {
  broker = await startTestBroker({ port, ...user });
}, 180_000);
afterAll(() => broker.stop());

describe('MqttBrokerPublisher on HiveMQ', () => {
  it.each<[string, string, object, string, RegExp]>([
    ['wrong credentials', url, { ...user, password: 'wrong' }, 'hold', /^CREDENTIALS_REFUSED$/],
    ['no credentials', url, {}, 'hold', /^CREDENTIALS_REFUSED$/],
    ['a port where nobody listens', 'mqtt://127.0.0.1:1', user, 'retry', /^TARGET_UNREACHABLE$/],
    ['a wrong path', `ws://127.0.0.1:${port}/mqtt`, user, 'retry', /^CONNECT_UNANSWERED$/],
  ])('says so of %s, with nothing stored', async (_, address, secret, reaction, code) => {
    const publisher = openPublisher({ url: address, secret });
    expect(errorOf(await publisher.publish(sampleMessage('a'), soon()))).toMatchObject({
      reaction,
      code: expect.stringMatching(code),
      maybeStored: false,
    });
    await publisher.close();
  });

  it('says so of an unknown host', async () => {
    const publisher = openPublisher({ url: 'mqtt://broker.invalid', secret: {} });
    const error = await publisher.check(Date.now() + 10_000).catch((thrown: unknown) => thrown);
    // Where there is no name server at all, the system cannot know that the name does not exist.
    expect(['HOST_UNKNOWN', 'TARGET_UNREACHABLE']).toContain((error as { code?: string }).code);
    await publisher.close();
  });

  it('lives through a broker that is killed and comes back', async () => {
    const publisher = openPublisher({ url, secret: user });
    const outcomes = { accepted: 0, failed: 0 };
    let isOver = false;
    const stream = (async () => {
      while (!isOver) {
        const result = await publisher.publish(sampleMessage('a'), { deadlineMs: Date.now() + 2_000 });
        outcomes[result.status] += 1;
        if (result.status === 'failed') expect(result.error.reaction).toBe('retry');
      }
    })();
    const goesOn = async (what: string) => {
      const before = outcomes.accepted;
      await eventually(
        async () => outcomes.accepted - before,
        (more) => more >= 100,
        { timeoutMs: 30_000, what },
      );
    };
    await goesOn('published before');
    await broker.stop();
    await expect(publisher.check(Date.now() + 2_000)).rejects.toMatchObject({ reaction: 'retry' });
    broker = await startTestBroker({ port, ...user });
    await goesOn('published after');
    isOver = true;
    await stream;
    expect(outcomes.failed).toBeGreaterThan(0);
    await publisher.close();
  }, 120_000);
});
