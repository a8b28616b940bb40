import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BridgeError } from '../../lib/domain/errors/errors.ts';
import type { MqttMessage, OutgoingMqttMessage, UserProperty } from '../../lib/domain/messages/message.ts';
import type { MqttPublisher, PublishResult } from '../../lib/ports/mqtt-publisher.ts';

export interface PublisherUnderTest {
  publisher: MqttPublisher;
  /** Topic names below it have no messages yet. */
  topicPrefix: string;
  /** What a subscriber to `<topicPrefix>/#` got since `build`, once so many are there, in order of arrival. */
  received(count: number): Promise<MqttMessage[]>;
  /** The retained message of a topic name. */
  retained(topicName: string): Promise<MqttMessage | undefined>;
  close(): Promise<void>;
}

/** What a publisher cannot promise. */
export interface PublisherLimits {
  /** Payload that the target refuses for its size. Absent: none that a test would make. */
  tooLargeBytes?: number;
  /** False: publishes under way may overtake each other. */
  keepsOrder?: boolean;
  /** False: what MQTT 5 has beside topic, payload, QoS and retain is dropped. */
  carriesProperties?: boolean;
}

/** What every publisher promises. `build` is called for each test. */
export function describeMqttPublisher(
  name: string,
  build: () => Promise<PublisherUnderTest>,
  { tooLargeBytes, keepsOrder = true, carriesProperties = true }: PublisherLimits = {},
): void {
  describe(`MqttPublisher, ${name}`, () => {
    let under: PublisherUnderTest;

    beforeEach(async () => {
      under = await build();
    });
    afterEach(() => under.close());

    const publish = (message: OutgoingMqttMessage) =>
      under.publisher.publish(message, { deadlineMs: Date.now() + 20_000 });
    const below = (level: string, changes: Partial<OutgoingMqttMessage> = {}) =>
      sampleMessage(`${under.topicPrefix}/${level}`, changes);

    it.each([0, 1, 2] as const)('delivers topic name and payload byte for byte at QoS %i', async (qos) => {
      const message = below('größe/日本', { qos, payload: randomBytes(70_000) });
      expect(await publish(message)).toEqual({ status: 'accepted' });
      const [received] = await under.received(1);
      expect(received?.topicName).toBe(message.topicName);
      expect(received?.payload.equals(message.payload)).toBe(true);
    });

    it('delivers an empty payload', async () => {
      await publish(below('empty', { payload: Buffer.alloc(0) }));
      expect((await under.received(1))[0]?.payload).toHaveLength(0);
    });

    (carriesProperties ? it : it.failing)('delivers everything that MQTT 5 has', async () => {
      const properties = {
        contentType: 'application/json; charset=utf-8',
        responseTopic: 'answers/4711',
        correlationData: Buffer.from([0, 1, 2, 255]),
        payloadFormat: 1,
        expirySeconds: 3_600,
        userProperties: [
          ['b', '1'],
          ['a', ''],
          ['b', '2'],
          ['9', 'ünï'],
          ['__proto__', 'kept'],
        ] as UserProperty[],
      } as const;
      await publish(below('all', properties));
      const [received] = await under.received(1);
      expect(received).toMatchObject({
        contentType: properties.contentType,
        responseTopic: properties.responseTopic,
        payloadFormat: 1,
      });
      expect(received?.correlationData?.equals(properties.correlationData)).toBe(true);
      // The broker counts it down, in whole seconds.
      expect(received?.expirySeconds).toBeGreaterThan(3_590);
      expect(received?.expirySeconds).toBeLessThanOrEqual(3_600);
      expect(valuesByName(received)).toEqual(valuesByName(properties));
    });

    it('makes a retained message', async () => {
      const message = below('kept', { retain: true });
      await publish(message);
      const retained = await under.retained(message.topicName);
      expect(retained?.payload.equals(message.payload)).toBe(true);
    });

    it('answers each of 500 calls under way', async () => {
      const messages = Array.from({ length: 500 }, (_, index) =>
        below('many', { payload: Buffer.from(`${index}`) }),
      );
      const results = await Promise.all(messages.map(publish));
      expect(results.filter(({ status }) => status !== 'accepted')).toEqual([]);
      const payloads = (await under.received(500)).map(({ payload }) => Number(payload.toString()));
      const wanted = messages.map((_, index) => index);
      expect(keepsOrder ? payloads : payloads.sort((a, b) => a - b)).toEqual(wanted);
    }, 30_000);

    it.each([
      ['a wildcard', 'a/#', {}, 'TOPIC_INVALID'],
      ['a single-level wildcard', 'a/+/b', {}, 'TOPIC_INVALID'],
      ['U+0000 in the topic name', 'a\u0000', {}, 'TOPIC_INVALID'],
      [
        'U+0000 in a user property',
        'a',
        { userProperties: [['a', '\u0000']] as UserProperty[] },
        'PROPERTY_INVALID',
      ],
      ['a lone surrogate', 'a', { contentType: '\ud800' }, 'PROPERTY_INVALID'],
    ])('refuses %s, and nothing else', async (_, level, changes, code) => {
      const [before, refused, after] = await Promise.all([
        publish(below('before')),
        publish(below(level, changes)),
        publish(below('after')),
      ]);
      expect([before, after]).toEqual([{ status: 'accepted' }, { status: 'accepted' }]);
      expect(errorOf(refused)).toMatchObject({ reaction: 'dead-letter', code, maybeStored: false });
      expect(await under.received(2)).toHaveLength(2);
    });

    if (tooLargeBytes !== undefined) {
      it('refuses what is larger than the target takes, and nothing else', async () => {
        const [before, refused, after] = await Promise.all([
          publish(below('before')),
          publish(below('large', { payload: Buffer.alloc(tooLargeBytes) })),
          publish(below('after')),
        ]);
        expect([before, after]).toEqual([{ status: 'accepted' }, { status: 'accepted' }]);
        expect(errorOf(refused)).toMatchObject({ reaction: 'dead-letter', code: 'PAYLOAD_TOO_LARGE' });
        expect(await under.received(2)).toHaveLength(2);
      });
    }

    it('begins nothing when no time is left', async () => {
      const result = await under.publisher.publish(below('late'), { deadlineMs: Date.now() - 1 });
      expect(errorOf(result)).toMatchObject({
        code: 'DEADLINE_PASSED',
        reaction: 'retry',
        maybeStored: false,
      });
    });

    it('sends nothing that may not be sent any more', async () => {
      const options = { deadlineMs: Date.now() + 20_000, answerMs: 5_000, maySend: () => false };
      const result = await under.publisher.publish(below('late'), options);
      expect(errorOf(result)).toMatchObject({ code: 'NOT_SENT', reaction: 'retry', maybeStored: false });
      await publish(below('after'));
      expect(await under.received(1)).toMatchObject([{ topicName: below('after').topicName }]);
    });

    it('is reached by a check', async () => {
      await expect(under.publisher.check(Date.now() + 10_000)).resolves.toBeUndefined();
    });

    it('fails what comes after its end, and can be closed twice', async () => {
      await under.publisher.close();
      await under.publisher.close();
      expect(errorOf(await publish(below('late')))).toMatchObject({
        code: 'NOT_SENT',
        reaction: 'retry',
        maybeStored: false,
      });
    });
  });
}

/** A message of QoS 1 with a payload of its own. */
export function sampleMessage(
  topicName: string,
  changes: Partial<OutgoingMqttMessage> = {},
): OutgoingMqttMessage {
  return {
    topicName,
    payload: Buffer.from(randomUUID()),
    qos: 1,
    retain: false,
    userProperties: [],
    ...changes,
  };
}

/** Throws when there is none. */
export function errorOf(result: PublishResult): BridgeError {
  if (result.status === 'failed') return result.error;
  throw new Error('the message was accepted');
}

/** Order is kept within a name; across names MQTT.js, by which tests subscribe, loses it. */
function valuesByName(message: Pick<MqttMessage, 'userProperties'> | undefined): [string, string[]][] {
  const groups = Map.groupBy(message?.userProperties ?? [], ([name]) => name);
  return [...groups]
    .map(([name, pairs]): [string, string[]] => [name, pairs.map(([, value]) => value)])
    .sort();
}
