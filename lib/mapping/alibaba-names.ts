import type { UserProperty } from '../domain/messages/message.ts';
import { isObject } from './envelope-fields.ts';
import { asciiJson, parseJson } from './json.ts';
import type { CarriedMqttMessage, Carrier, NameSet } from './name-set.ts';
import { nativeNames, numeral, putRequest, readBoolean, readNative, readQos } from './native-names.ts';
import { putTextAs, readNumber, refuse } from './properties.ts';
import { ALIBABA, MQTT, WIRE_NAMES } from './wire-names.ts';

const MAX_EXPIRY_SECONDS = 65_535;
const OUR_NAMES: ReadonlySet<string> = new Set([...WIRE_NAMES, ...Object.values(ALIBABA)]);

/**
 * The set of ApsaraMQ for MQTT. There the first level of a topic name is the RocketMQ topic, and `mqttSecondTopic` the rest
 * (`/p2p/<client id>` for one client); so a message that began in RocketMQ has a topic name too.
 */
export const alibabaNames: NameSet = {
  wireNames: OUR_NAMES,

  put(properties, message) {
    const { topicName, expirySeconds } = message;
    putTextAs(properties, ALIBABA.topic, MQTT.topic, topicName);
    const secondLevel = topicName.indexOf('/', 1);
    if (secondLevel !== -1 && properties.has(ALIBABA.topic)) {
      properties.set(ALIBABA.secondTopic, topicName.slice(secondLevel));
    }
    if (message.clientId !== undefined) {
      putTextAs(properties, ALIBABA.clientId, MQTT.clientId, message.clientId);
    }
    if (message.qos !== undefined) properties.set(ALIBABA.qos, numeral(message.qos));
    if (message.retain !== undefined) properties.set(ALIBABA.retain, message.retain ? 'true' : 'false');
    if (message.contentType !== undefined) {
      putTextAs(properties, ALIBABA.contentType, MQTT.contentType, message.contentType);
    }
    if (expirySeconds !== undefined) {
      const name = expirySeconds <= MAX_EXPIRY_SECONDS ? ALIBABA.expiry : MQTT.expiry;
      properties.set(name, String(expirySeconds));
    }
    putRequest(properties, message);
  },

  putUserProperties(properties, { userProperties }) {
    if (userProperties.length === 0) return;
    properties.set(ALIBABA.userProperties, asciiJson(userProperties.map(([key, value]) => ({ key, value }))));
  },

  putEmpty: nativeNames.putEmpty,

  read(carrier) {
    const { properties } = carrier;
    const message = readNative(carrier, OUR_NAMES);
    message.topicName ??= readTopicName(carrier);
    const clientId = properties.get(ALIBABA.clientId);
    if (clientId !== undefined) message.clientId = clientId;
    const qos = readQos(properties, ALIBABA.qos);
    if (qos !== undefined) message.qos = qos;
    const retain = readBoolean(properties, ALIBABA.retain);
    if (retain !== undefined) message.retain = retain;
    readMqtt5(message, properties);
    return message;
  },
};

function readTopicName({ rocketmqTopic, properties }: Carrier): string {
  const topicName = properties.get(ALIBABA.topic);
  if (topicName !== undefined) return topicName;
  const secondTopic = properties.get(ALIBABA.secondTopic) ?? '';
  return rocketmqTopic + (secondTopic === '' || secondTopic.startsWith('/') ? '' : '/') + secondTopic;
}

function readMqtt5(message: CarriedMqttMessage, properties: ReadonlyMap<string, string>): void {
  const contentType = properties.get(ALIBABA.contentType);
  if (contentType !== undefined) message.contentType = contentType;
  const expirySeconds = readNumber(properties, ALIBABA.expiry, MAX_EXPIRY_SECONDS);
  if (expirySeconds !== undefined) message.expirySeconds = expirySeconds;
  const text = properties.get(ALIBABA.userProperties);
  if (text !== undefined) message.userProperties = [...message.userProperties, ...readList(text)];
}

function readList(text: string): UserProperty[] {
  const list = parseJson(text);
  if (!Array.isArray(list)) return refuseList();
  return list.map((element: unknown) => {
    if (isObject(element) && typeof element.key === 'string' && typeof element.value === 'string') {
      return [element.key, element.value];
    }
    return refuseList();
  });
}

function refuseList(): never {
  return refuse(ALIBABA.userProperties, 'a JSON array of objects with key and value');
}
