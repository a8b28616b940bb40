import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe } from '@jest/globals';
import { describeConnections } from './mqtt-session/connections.ts';
import { describeDeliveries } from './mqtt-session/deliveries.ts';
import {
  type Lacks,
  openSession,
  type SessionsUnderTest,
  type SessionWorld,
  type TestSession,
} from './mqtt-session/kit.ts';
import { describeRetained } from './mqtt-session/retained.ts';
import { describeSubscriptions } from './mqtt-session/subscriptions.ts';

/**
 * What every broker's sessions promise. `under` is asked for each test; client identifiers and topics are fresh.
 *
 * Where messages stay unaccepted they were queued before: with one of them under way HiveMQ sends nothing that is published
 * later, and of what is queued 50.
 */
export function describeMqttSessions(name: string, under: () => SessionsUnderTest, lacks: Lacks = {}): void {
  describe(`MqttSessions, ${name}`, () => {
    const open: TestSession[] = [];
    const world: SessionWorld = {
      clientId: '',
      topic: '',
      async connect(changes = {}) {
        const { clientId, topic } = world;
        const session = await openSession(under(), { clientId, topicFilters: [`${topic}/#`], ...changes });
        open.push(session);
        return session;
      },
      publish: (texts, changes = {}) =>
        under().publish(
          texts.map((text) => ({ topicName: `${world.topic}/a`, payload: Buffer.from(text), ...changes })),
        ),
      publishMessages: (messages) => under().publish(messages),
      async queued(texts, changes = {}) {
        await (await world.connect(changes)).session.close();
        await world.publish(texts);
        return await world.connect(changes);
      },
    };

    beforeEach(() => {
      world.clientId = `mqferry-${randomUUID().slice(0, 8)}`;
      world.topic = `t/${world.clientId}`;
    });
    afterEach(async () => {
      // One after the other: ending a session takes over whoever else has the client identifier.
      for (const { session } of open.splice(0)) await session.close({ endSession: true });
    });

    describeDeliveries(world, lacks);
    describeConnections(world, lacks);
    describeSubscriptions(world, lacks);
    describeRetained(world, lacks);
  });
}
