import type { ReceivedRocketmqMessage, UserProperty } from '../domain/messages/message.ts';
import { asciiJson } from './json.ts';
import { fitsMqttText } from './mqtt-text.ts';
import { sortByName } from './sort-by-name.ts';
import { MQFERRY, RMQ } from './wire-names.ts';

const OUR_NAMES = Object.values(MQFERRY);
const TAKEN_NAMES: ReadonlySet<string> = new Set<string>([...Object.values(RMQ), ...OUR_NAMES]);

/**
 * The user properties of a message that was born in RocketMQ: its own properties, and the `rmq_*` ones that say what else
 * it had there; sorted by name, keys in their order. A list of its own, for the caller to go on with.
 *
 * @param own its properties, as user properties.
 */
export function withBirthMarks(
  received: ReceivedRocketmqMessage,
  own: readonly UserProperty[],
): UserProperty[] {
  const marked: UserProperty[] = [
    [RMQ.messageId, received.messageId],
    [RMQ.topic, received.rocketmqTopic],
    [RMQ.bornTime, String(received.bornTimeMs)],
  ];
  if (received.tag !== undefined) marked.push([RMQ.tag, received.tag]);
  for (const key of received.keys) marked.push([RMQ.keys, key]);
  if (received.messageGroup !== undefined) marked.push([RMQ.messageGroup, received.messageGroup]);
  const unfit: UserProperty[] = [];
  for (const property of own) {
    if (isFit(property[0], property[1])) marked.push(property);
    else unfit.push(property);
  }
  // What is never a mark's name may be a stray one of mqferry's: it must not be taken for a mark on the other side.
  for (const name of OUR_NAMES) {
    const value = received.properties.get(name);
    if (value !== undefined) unfit.push([name, value]);
  }
  if (unfit.length > 0) marked.push([RMQ.properties, asciiJson(unfit)]);
  return sortByName(marked);
}

/** Whether the user properties tell of a birth in RocketMQ. To be asked of messages with a path only: else they are a device's. */
export function isBornInRocketmq(userProperties: readonly UserProperty[]): boolean {
  return userProperties.some(([name]) => name === RMQ.messageId);
}

/** The tag that the message had where it was born. */
export function tagOf(userProperties: readonly UserProperty[]): string | undefined {
  return userProperties.find(([name]) => name === RMQ.tag)?.[1];
}

/** The keys that the message had where it was born. */
export function keysOf(userProperties: readonly UserProperty[]): string[] {
  return userProperties.flatMap(([name, value]) => (name === RMQ.keys ? [value] : []));
}

function isFit(name: string, value: string): boolean {
  return !TAKEN_NAMES.has(name) && fitsMqttText(name) && fitsMqttText(value);
}
