import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { createMemoryMqttPublisher } from '../../../../lib/adapters/memory/mqtt-publisher.ts';
import { createMemorySecretReader } from '../../../../lib/adapters/memory/secret-reader.ts';
import type { MqttBrokerPublisherOptions } from '../../../../lib/adapters/mqtt/publisher.ts';
import { createMqttPublishers } from '../../../../lib/adapters/mqtt/publishers.ts';
import { BrokerHoldError } from '../../../../lib/domain/errors/errors.ts';
import type { MqttClusterRecord } from '../../../../lib/ports/mqtt-publisher.ts';
import { errorOf, sampleMessage } from '../../../contract/mqtt-publisher.ts';

const secretRef = 'arn:aws:secretsmanager:eu-west-1:000000000000:secret:broker';
const record = { name: 'n', region: 'eu-west-1', version: 1, createdAt: '', updatedAt: '' };
const factory: MqttClusterRecord = {
  ...record,
  kind: 'mqtt',
  clusterId: 'factory',
  url: 'mqtts://broker.example',
  secretRef,
};
const devices: MqttClusterRecord = { ...record, kind: 'aws-iot', clusterId: 'devices' };
const deadline = { deadlineMs: Number.POSITIVE_INFINITY };
const secretOf = (password: string) => JSON.stringify({ username: 'u', password });

describe('createMqttPublishers', () => {
  it('opens a publisher with the secret of the cluster and the client identifier', async () => {
    const { publishers, made } = open();
    await publishers.open(factory, { clientId: 'mqferry-1' });
    expect(made).toEqual([
      expect.objectContaining({
        cluster: factory,
        clientId: 'mqferry-1',
        secret: { username: 'u', password: 'old' },
      }),
    ]);
  });

  it('opens one without a secret where the cluster names none', async () => {
    const { publishers, made, secrets } = open();
    const { secretRef: _, ...anonymous } = factory;
    await publishers.open(anonymous, { clientId: 'c' });
    expect(made[0]?.secret).toEqual({});
    expect(secrets.reads).toEqual([]);
  });

  it('publishes to AWS IoT in the region of the cluster', async () => {
    const { publishers, awsIot, regions } = open();
    const publisher = await publishers.open(devices, { clientId: 'c' });
    await publisher.publish(sampleMessage('a'), deadline);
    expect(regions).toEqual(['eu-west-1']);
    expect(awsIot.published).toHaveLength(1);
  });

  it('does not open a cluster whose secret is not there, or is of no use', async () => {
    const { publishers, secrets } = open();
    secrets.set(secretRef, JSON.stringify({ password: 'hush' }));
    await expect(publishers.open(factory, { clientId: 'c' })).rejects.toMatchObject({
      code: 'SECRET_INVALID',
    });
    const other = { ...factory, secretRef: `${secretRef}-other` };
    await expect(publishers.open(other, { clientId: 'c' })).rejects.toMatchObject({
      code: 'SECRET_NOT_FOUND',
    });
  });

  it('reads the secret again when the credentials are refused, and publishes once more with another', async () => {
    const { publishers, secrets, memory, brokers } = open();
    const publisher = await publishers.open(factory, { clientId: 'c' });
    secrets.set(secretRef, secretOf('new'));
    const results = await Promise.all([
      publisher.publish(sampleMessage('a'), deadline),
      publisher.publish(sampleMessage('b'), deadline),
    ]);
    expect(results).toEqual([{ status: 'accepted' }, { status: 'accepted' }]);
    expect(memory.published().map(({ topicName }) => topicName)).toEqual(['a', 'b']);
    expect(secrets.reads.map(({ fresh }) => fresh)).toEqual([false, true]);
    expect(brokers.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    await publisher.check(Number.POSITIVE_INFINITY);
  });

  it('checks with another secret too', async () => {
    const { publishers, secrets } = open();
    const publisher = await publishers.open(factory, { clientId: 'c' });
    secrets.set(secretRef, secretOf('new'));
    await expect(publisher.check(Number.POSITIVE_INFINITY)).resolves.toBeUndefined();
  });

  it('leaves it at the refusal while the secret is the same, and reads past the cache every 30 s only', async () => {
    const { publishers, secrets, clock } = open();
    const publisher = await publishers.open(factory, { clientId: 'c' });
    const refused = { status: 'failed', error: expect.objectContaining({ code: 'CREDENTIALS_REFUSED' }) };
    for (const waitMs of [0, 29_999, 1]) {
      await clock.advance(waitMs);
      expect(await publisher.publish(sampleMessage('a'), deadline)).toEqual(refused);
    }
    expect(secrets.reads.filter(({ fresh }) => fresh)).toHaveLength(2);
    secrets.set(secretRef, 'no JSON');
    await clock.advance(30_000);
    expect(errorOf(await publisher.publish(sampleMessage('a'), deadline)).code).toBe('CREDENTIALS_REFUSED');
  });

  it('closes what is open', async () => {
    const { publishers, brokers, awsIot, closed } = open();
    const first = await publishers.open(factory, { clientId: 'c' });
    await publishers.open(factory, { clientId: 'd' });
    await publishers.open(devices, { clientId: 'e' });
    await first.close();
    expect(brokers.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    await publishers.close();
    expect([...brokers, awsIot].map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
    expect(closed).toHaveLength(1);
  });
});

/** Brokers that refuse the password "old". */
function open() {
  const clock = createManualClock();
  const secrets = createMemorySecretReader({ [secretRef]: secretOf('old') });
  const made: MqttBrokerPublisherOptions[] = [];
  const brokers: ReturnType<typeof createMemoryMqttPublisher>[] = [];
  const awsIot = createMemoryMqttPublisher({ clock });
  const regions: string[] = [];
  const closed: string[] = [];
  const publishers = createMqttPublishers({
    secrets,
    clock,
    awsIot: {
      inRegion: (region) => {
        regions.push(region);
        return awsIot;
      },
      close: () => closed.push('aws-iot'),
    },
    createPublisher(options) {
      const broker = createMemoryMqttPublisher({ clock });
      if (options.secret.password === 'old') {
        broker.goAway(new BrokerHoldError('refused', { code: 'CREDENTIALS_REFUSED', scope: 'cluster' }));
      }
      made.push(options);
      brokers.push(broker);
      return broker;
    },
  });
  const memory = { published: () => brokers.flatMap((broker) => broker.published) };
  return { publishers, secrets, made, brokers, awsIot, regions, closed, clock, memory };
}
