import { BridgeError } from '../errors/errors.ts';
import type { RocketmqMessage } from './message.ts';
import { encodedBytesWith, measureRocketmqMessage } from './rocketmq-limits.ts';

/**
 * A message that has passed `checkRocketmqMessage`. Only `checkMessage` makes one: a class, because a private field is the
 * one mark that no copy takes along, so a message changed by spreading it is an unchecked one again.
 */
class CheckedMessage implements RocketmqMessage {
  readonly rocketmqTopic: string;
  readonly body: Buffer;
  declare readonly tag?: string;
  readonly keys: readonly string[];
  declare readonly messageGroup?: string;
  readonly properties: ReadonlyMap<string, string>;
  readonly #propertyBytes: number;

  constructor(message: RocketmqMessage, propertyBytes: number) {
    this.rocketmqTopic = message.rocketmqTopic;
    this.body = message.body;
    this.keys = message.keys;
    this.properties = message.properties;
    if (message.tag !== undefined) this.tag = message.tag;
    if (message.messageGroup !== undefined) this.messageGroup = message.messageGroup;
    this.#propertyBytes = propertyBytes;
  }

  /** Bytes of names, values, tag and keys, as RocketMQ counts them. */
  get propertyBytes(): number {
    return this.#propertyBytes;
  }

  /** `encodedBatchBytes` of the message. */
  get encodedBytes(): number {
    return encodedBytesWith(this, this.#propertyBytes);
  }

  static is(message: RocketmqMessage): message is CheckedMessage {
    return #propertyBytes in message;
  }
}

export type { CheckedMessage };

/**
 * Checks a message by RocketMQ's rules, once on its whole way: a checked one is answered as it is. Otherwise a checked
 * copy, or the error of `checkRocketmqMessage`. The body and the map of properties are shared, and must not be changed
 * any more.
 */
export function checkMessage(message: RocketmqMessage): CheckedMessage | BridgeError {
  if (CheckedMessage.is(message)) return message;
  const measured = measureRocketmqMessage(message);
  return measured instanceof BridgeError ? measured : new CheckedMessage(message, measured);
}
