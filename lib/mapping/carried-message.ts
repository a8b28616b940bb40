import type { RocketmqMessage } from '../domain/messages/message.ts';
import type { CarriedMqttMessage, NameSet } from './name-set.ts';
import { nativeNames } from './native-names.ts';
import { unpackProperties } from './property-envelope.ts';
import { type ReadProvenance, readProvenance } from './provenance.ts';

export interface DecodedMessage {
  message: CarriedMqttMessage;
  provenance: ReadProvenance;
  /** All properties, out of an envelope where they were packed. */
  properties: ReadonlyMap<string, string>;
}

/**
 * Reads the MQTT message out of a RocketMQ message: the exact counterpart of `createMqttToRocketmqMapper`. Properties
 * that are not ours become user properties, by name. Throws `UnmappableMessageError` `WIRE_PROPERTY_INVALID` when somebody
 * has written one of our properties wrongly.
 */
export function decodeRocketmqMessage(
  { rocketmqTopic, ...carried }: Pick<RocketmqMessage, 'rocketmqTopic' | 'body' | 'properties'>,
  names: NameSet = nativeNames,
): DecodedMessage {
  const { body, properties } = unpackProperties(carried);
  const message = names.read({ rocketmqTopic, body, properties });
  return { message, provenance: readProvenance(properties), properties };
}
