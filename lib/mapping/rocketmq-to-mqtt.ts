import type { MqttMessage, RocketmqMessage } from '../domain/message.ts';
import { readBytes, readNumber, readText, readUserProperties, refuse } from './properties.ts';
import { unpackProperties } from './property-envelope.ts';
import { type ReadProvenance, readProvenance } from './provenance.ts';
import { MQTT } from './wire-names.ts';

/** An MQTT message as a RocketMQ message carries it. A message that began in RocketMQ has no topic name. */
export type CarriedMqttMessage = Omit<MqttMessage, 'topicName'> & { topicName?: string };

export interface DecodedMessage {
  message: CarriedMqttMessage;
  provenance: ReadProvenance;
}

/** Four bytes of seconds [MQTT-3.3.2.3.3]. */
const MAX_EXPIRY_SECONDS = 0xffff_ffff;

/**
 * Reads the MQTT message out of a RocketMQ message: the exact counterpart of `createMqttToRocketmqMapper`. Properties
 * that are not ours become user properties, by name. Throws `UnmappableMessageError` `WIRE_PROPERTY_INVALID` when somebody
 * has written one of our properties wrongly.
 */
export function decodeRocketmqMessage(
  rocketmqMessage: Pick<RocketmqMessage, 'body' | 'properties'>,
): DecodedMessage {
  const { body, properties } = unpackProperties(rocketmqMessage);
  const message: CarriedMqttMessage = {
    payload: properties.get(MQTT.empty) === '1' ? Buffer.alloc(0) : body,
    userProperties: readUserProperties(properties),
  };
  const topicName = readText(properties, MQTT.topic);
  if (topicName !== undefined) message.topicName = topicName;
  const clientId = readText(properties, MQTT.clientId);
  if (clientId !== undefined) message.clientId = clientId;
  readFlags(message, properties);
  readMqtt5(message, properties);
  return { message, provenance: readProvenance(properties) };
}

function readFlags(message: CarriedMqttMessage, properties: ReadonlyMap<string, string>): void {
  const qos = readNumber(properties, MQTT.qos, 2);
  if (qos !== undefined) message.qos = qos as 0 | 1 | 2;
  const retain = properties.get(MQTT.retain);
  if (retain === 'true' || retain === 'false') message.retain = retain === 'true';
  else if (retain !== undefined) refuse(MQTT.retain, 'true or false');
}

function readMqtt5(message: CarriedMqttMessage, properties: ReadonlyMap<string, string>): void {
  const contentType = readText(properties, MQTT.contentType);
  if (contentType !== undefined) message.contentType = contentType;
  const responseTopic = readText(properties, MQTT.responseTopic);
  if (responseTopic !== undefined) message.responseTopic = responseTopic;
  const correlationData = readBytes(properties, MQTT.correlationData);
  if (correlationData !== undefined) message.correlationData = correlationData;
  const payloadFormat = readNumber(properties, MQTT.payloadFormat, 1);
  if (payloadFormat !== undefined) message.payloadFormat = payloadFormat as 0 | 1;
  const expirySeconds = readNumber(properties, MQTT.expiry, MAX_EXPIRY_SECONDS);
  if (expirySeconds !== undefined) message.expirySeconds = expirySeconds;
}
