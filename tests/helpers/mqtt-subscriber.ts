import mqtt, { type IClientOptions, type IPublishPacket } from 'mqtt';
import type { MqttMessage, UserProperty } from '../../lib/domain/messages/message.ts';
import { eventually } from './eventually.ts';

export interface MqttSubscriber {
  /** What has come, once so many are there, in order of arrival. */
  received(count: number): Promise<MqttMessage[]>;
  close(): Promise<void>;
}

/** A plain MQTT 5 client that collects what is published to a topic filter. */
export async function subscribe(
  url: string,
  topicFilter: string,
  options: IClientOptions = {},
  qos: 0 | 1 | 2 = 2,
): Promise<MqttSubscriber> {
  const messages: MqttMessage[] = [];
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 0, ...options });
  client.on('error', () => undefined);
  client.on('message', (_topic, _payload, packet) => messages.push(messageOf(packet)));
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
  });
  await client.subscribeAsync(topicFilter, { qos, rap: true });
  return {
    received: (count) =>
      eventually(
        async () => [...messages],
        (all) => all.length >= count,
        { timeoutMs: 20_000, everyMs: 20, what: `${count} messages on ${topicFilter}` },
      ),
    close: () => client.endAsync(true),
  };
}

function messageOf({ topic, payload, qos, retain, properties = {} }: IPublishPacket): MqttMessage {
  const { contentType, responseTopic, correlationData, payloadFormatIndicator, messageExpiryInterval } =
    properties;
  return {
    topicName: topic,
    payload: Buffer.from(payload),
    qos,
    retain,
    userProperties: pairsOf(properties.userProperties ?? {}),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormat: payloadFormatIndicator ? 1 : 0 }),
    ...(messageExpiryInterval === undefined ? {} : { expirySeconds: messageExpiryInterval }),
  };
}

function pairsOf(userProperties: Readonly<Record<string, string | string[]>>): UserProperty[] {
  return Object.entries(userProperties).flatMap(([name, values]) =>
    [values].flat().map((value): UserProperty => [name, value]),
  );
}
