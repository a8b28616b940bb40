import type { MqttMessage, UserProperty } from '../domain/messages/message.ts';
import { isObject } from './envelope-fields.ts';
import { asciiJson, parseJson } from './json.ts';
import type { NameSet } from './name-set.ts';
import { numeral, putRequest, readNative, readQos } from './native-names.ts';
import { putText, putTextAs, refuse } from './properties.ts';
import { sortByName } from './sort-by-name.ts';
import { MQTT, ROCKETMQ_MQTT, WIRE_NAMES } from './wire-names.ts';

/** `MessageUtil.EMPTYSTRING`: the body of a message without payload. */
const EMPTY_BODY = Buffer.from('\u2605\r\n\t\u2600', 'utf8');
const OUR_NAMES: ReadonlySet<string> = new Set([...WIRE_NAMES, ...Object.values(ROCKETMQ_MQTT)]);
/** Members of `extData` that are not user properties (`Message.extProperty…`). */
const NO_USER_PROPERTIES: ReadonlySet<string> = new Set([
  'qosLevel',
  'cleanSessionFlag',
  'namespace',
  'clientId',
]);

/** The set of apache/rocketmq-mqtt. Its consumers subscribe to one tag, and look for user properties in one JSON object. */
export const rocketmqMqttNames: NameSet = {
  wireNames: OUR_NAMES,
  /** `Constants.MQTT_TAG` */
  tag: 'MQTT_COMMON',

  put(properties, message) {
    putTextAs(properties, ROCKETMQ_MQTT.topic, MQTT.topic, message.topicName);
    properties.set(ROCKETMQ_MQTT.empty, 'false');
    properties.set(ROCKETMQ_MQTT.retryTimes, '0');
    if (message.clientId !== undefined) {
      putTextAs(properties, ROCKETMQ_MQTT.clientId, MQTT.clientId, message.clientId);
    }
    if (message.qos !== undefined) properties.set(ROCKETMQ_MQTT.qos, numeral(message.qos));
    if (message.retain !== undefined) properties.set(MQTT.retain, message.retain ? 'true' : 'false');
    if (message.contentType !== undefined) putText(properties, MQTT.contentType, message.contentType);
    putRequest(properties, message);
    if (message.expirySeconds !== undefined) properties.set(MQTT.expiry, String(message.expirySeconds));
  },

  putUserProperties(properties, message) {
    const members = membersOf(message);
    if (members.size > 0)
      properties.set(ROCKETMQ_MQTT.userProperties, asciiJson(Object.fromEntries(members)));
    // An object has neither order nor repetitions: where they matter, all of them are beside it.
    if (!isAscending(message.userProperties)) {
      properties.set(MQTT.userProperties, asciiJson(message.userProperties));
    }
  },

  putEmpty(properties) {
    properties.set(ROCKETMQ_MQTT.empty, 'true');
    return EMPTY_BODY;
  },

  read(carrier) {
    const { properties } = carrier;
    const message = readNative(carrier, OUR_NAMES);
    if (properties.get(ROCKETMQ_MQTT.empty) === 'true') message.payload = Buffer.alloc(0);
    const topicName = properties.get(ROCKETMQ_MQTT.topic);
    if (topicName !== undefined) message.topicName = topicName;
    const clientId = properties.get(ROCKETMQ_MQTT.clientId);
    if (clientId !== undefined) message.clientId = clientId;
    const qos = readQos(properties, ROCKETMQ_MQTT.qos);
    if (qos !== undefined) message.qos = qos;
    const text = properties.get(ROCKETMQ_MQTT.userProperties);
    if (text !== undefined && !properties.has(MQTT.userProperties)) {
      message.userProperties = [...message.userProperties, ...readMembers(text)];
    }
    return message;
  },
};

/** Their own encoder leaves the QoS among the user properties, and their broker looks for it there. */
function membersOf({ qos, userProperties }: MqttMessage): Map<string, string> {
  const members = new Map<string, string>();
  if (qos !== undefined) members.set(ROCKETMQ_MQTT.qos, numeral(qos));
  for (const [name, value] of userProperties) {
    if (!members.has(name)) members.set(name, value);
  }
  return members;
}

function isAscending(userProperties: readonly UserProperty[]): boolean {
  let previous: string | undefined;
  for (const [name] of userProperties) {
    if (NO_USER_PROPERTIES.has(name) || (previous !== undefined && name <= previous)) return false;
    previous = name;
  }
  return true;
}

function readMembers(text: string): UserProperty[] {
  const members = parseJson(text);
  if (!isObject(members)) return refuseMembers();
  const texts = Object.entries(members)
    .filter(([name]) => !NO_USER_PROPERTIES.has(name))
    .map(([name, value]): UserProperty => (typeof value === 'string' ? [name, value] : refuseMembers()));
  return sortByName(texts);
}

function refuseMembers(): never {
  return refuse(ROCKETMQ_MQTT.userProperties, 'a JSON object of texts');
}
