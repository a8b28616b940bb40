import type { MqttMessage } from '../domain/messages/message.ts';
import { encodeBase64 } from './base64.ts';
import type { CarriedMqttMessage, Carrier, NameSet } from './name-set.ts';
import { putText, readBytes, readNumber, readText, refuse } from './properties.ts';
import { putUserProperties, readUserProperties } from './user-properties.ts';
import { MQTT, WIRE_NAMES } from './wire-names.ts';

/** Four bytes of seconds [MQTT-3.3.2.3.3]. */
export const MAX_EXPIRY_SECONDS = 0xffff_ffff;

const FILLER = Buffer.of(0);
const NUMERALS = ['0', '1', '2'] as const;

/** The set of mqferry: `mqtt_topic`, `mqtt_qos` and so on. */
export const nativeNames: NameSet = {
  wireNames: WIRE_NAMES,

  put(properties, message) {
    putText(properties, MQTT.topic, message.topicName);
    if (message.clientId !== undefined) putText(properties, MQTT.clientId, message.clientId);
    if (message.qos !== undefined) properties.set(MQTT.qos, numeral(message.qos));
    if (message.retain !== undefined) properties.set(MQTT.retain, message.retain ? 'true' : 'false');
    if (message.contentType !== undefined) putText(properties, MQTT.contentType, message.contentType);
    putRequest(properties, message);
    if (message.expirySeconds !== undefined) properties.set(MQTT.expiry, String(message.expirySeconds));
  },

  putUserProperties(properties, { userProperties }) {
    putUserProperties(properties, userProperties);
  },

  putEmpty(properties) {
    properties.set(MQTT.empty, '1');
    return FILLER;
  },

  read(carrier) {
    return readNative(carrier, WIRE_NAMES);
  },
};

/** Digit of a QoS or a payload format. */
export function numeral(value: 0 | 1 | 2): string {
  return NUMERALS[value];
}

/** Sets what only the native set has a name for: what belongs to request and response, and the payload format. */
export function putRequest(properties: Map<string, string>, message: MqttMessage): void {
  if (message.responseTopic !== undefined) putText(properties, MQTT.responseTopic, message.responseTopic);
  if (message.correlationData !== undefined) {
    properties.set(MQTT.correlationData, encodeBase64(message.correlationData));
  }
  if (message.payloadFormat !== undefined) properties.set(MQTT.payloadFormat, numeral(message.payloadFormat));
}

/** What a template gets for a native name of a text, a QoS or a retain, however the message carries it. */
export function nativeText(message: CarriedMqttMessage, name: string): string | undefined {
  switch (name) {
    case MQTT.topic:
      return message.topicName;
    case MQTT.clientId:
      return message.clientId;
    case MQTT.qos:
      return message.qos?.toString();
    case MQTT.retain:
      return message.retain?.toString();
    case MQTT.contentType:
      return message.contentType;
    case MQTT.responseTopic:
      return message.responseTopic;
    default:
      return undefined;
  }
}

/** Reads all native names; every other property that is not among the wire names of a set is a user property. */
export function readNative(
  { body, properties }: Carrier,
  wireNames: ReadonlySet<string>,
): CarriedMqttMessage {
  const message: CarriedMqttMessage = {
    payload: properties.get(MQTT.empty) === '1' ? Buffer.alloc(0) : body,
    userProperties: readUserProperties(properties, wireNames),
  };
  const topicName = readText(properties, MQTT.topic);
  if (topicName !== undefined) message.topicName = topicName;
  const clientId = readText(properties, MQTT.clientId);
  if (clientId !== undefined) message.clientId = clientId;
  const qos = readQos(properties, MQTT.qos);
  if (qos !== undefined) message.qos = qos;
  const retain = readBoolean(properties, MQTT.retain);
  if (retain !== undefined) message.retain = retain;
  readMqtt5(message, properties);
  return message;
}

export function readQos(properties: ReadonlyMap<string, string>, name: string): 0 | 1 | 2 | undefined {
  return readNumber(properties, name, 2) as 0 | 1 | 2 | undefined;
}

export function readBoolean(properties: ReadonlyMap<string, string>, name: string): boolean | undefined {
  const text = properties.get(name);
  if (text === undefined) return undefined;
  return text === 'true' || text === 'false' ? text === 'true' : refuse(name, 'true or false');
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
