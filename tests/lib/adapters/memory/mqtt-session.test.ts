import { describe, expect, it } from '@jest/globals';
import { createMemoryMqttBroker } from '../../../../lib/adapters/memory/mqtt-session.ts';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { openSession, payloads } from '../../../contract/mqtt-session/kit.ts';
import { describeMqttSessions } from '../../../contract/mqtt-session.ts';

const cluster = {
  kind: 'mqtt',
  name: 'Memory',
  region: 'eu-west-1',
  url: 'mqtt://memory',
  clusterId: 'memory',
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
} as const;

const shared = createMemoryMqttBroker({ clock: Date });
describeMqttSessions('memory', () => ({
  sessions: shared.sessions,
  cluster,
  publish: async (messages) => {
    for (const message of messages) shared.publish(message);
  },
}));

describe('createMemoryMqttBroker', () => {
  const clientId = 'client';
  const open = (broker: ReturnType<typeof createMemoryMqttBroker>) =>
    openSession({ sessions: broker.sessions, cluster }, { clientId, topicFilters: ['#'] });

  it('can break the connection, and lets the client come back', async () => {
    const broker = createMemoryMqttBroker({ clock: Date });
    const session = await open(broker);
    broker.publish({ topicName: 'a', payload: Buffer.from('x') });
    await session.received(1);
    broker.disconnect(clientId);
    expect(session.closings).toMatchObject([{ reaction: 'retry', scope: 'cluster' }]);
    expect(broker.isConnected(clientId)).toBe(false);
    session.accept();
    expect(broker.kept(clientId)).toBe(1);
    const again = await open(broker);
    await again.received(1);
    again.accept();
    expect(broker.kept(clientId)).toBe(0);
  });

  it('refuses as it is told', async () => {
    const broker = createMemoryMqttBroker({ clock: Date });
    const refusal = new BrokerUnavailableError('away');
    broker.refuse(refusal);
    await expect(open(broker)).rejects.toBe(refusal);
    broker.refuse(undefined);
    await open(broker);
    expect(broker.subscriptions(clientId)).toEqual(['#']);
    expect(broker.opened).toHaveLength(2);
  });

  it('drops in silence what its queue has no room for', async () => {
    const broker = createMemoryMqttBroker({ clock: Date, queueLimit: 3 });
    await (await open(broker)).session.close();
    for (const text of ['0', '1', '2', '3']) broker.publish({ topicName: 'a', payload: Buffer.from(text) });
    const session = await open(broker);
    await session.received(3);
    await session.quiet();
    expect(payloads(session)).toEqual(['0', '1', '2']);
  });
});
