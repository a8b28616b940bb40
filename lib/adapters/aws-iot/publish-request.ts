import type { PublishCommandInput } from '@aws-sdk/client-iot-data-plane';
import { type BridgeError, InvalidTopicError, PayloadTooLargeError } from '../../domain/errors/errors.ts';
import type { OutgoingMqttMessage } from '../../domain/messages/message.ts';
import { checkOutgoingMqttMessage } from '../../domain/messages/mqtt-limits.ts';
import { checkAwsIotTopicName } from '../../domain/topics/topic-name.ts';

/** Quota *message size* of AWS IoT Core. */
const MAX_PAYLOAD_BYTES = 128 * 1024;

/** What AWS IoT Core asks of a message beyond MQTT: topic of 256 bytes and 7 slashes, payload of 128 KB. */
export function checkAwsIotMessage(message: OutgoingMqttMessage): BridgeError | undefined {
  const invalid = checkOutgoingMqttMessage(message);
  if (invalid !== undefined) return invalid;
  const violation = checkAwsIotTopicName(message.topicName);
  if (violation !== undefined)
    return new InvalidTopicError(`the topic name is refused: ${violation.message}`);
  if (message.payload.length <= MAX_PAYLOAD_BYTES) return undefined;
  return new PayloadTooLargeError(`publishing to AWS IoT: the payload exceeds ${MAX_PAYLOAD_BYTES} bytes`);
}

/** `Publish` of the data plane. It has no QoS 2: QoS 1 takes its place. User properties keep their order. */
export function publishRequestOf(message: OutgoingMqttMessage): PublishCommandInput {
  const { topicName, payload, qos, retain, userProperties } = message;
  const { contentType, responseTopic, correlationData, payloadFormat, expirySeconds } = message;
  return {
    topic: topicName,
    payload,
    qos: Math.min(qos, 1),
    retain,
    ...(userProperties.length === 0 ? {} : { userProperties: userPropertiesOf(message) }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: correlationData.toString('base64') }),
    ...(payloadFormat === undefined
      ? {}
      : { payloadFormatIndicator: payloadFormat === 1 ? 'UTF8_DATA' : 'UNSPECIFIED_BYTES' }),
    ...(expirySeconds === undefined ? {} : { messageExpiry: expirySeconds }),
  };
}

/** A JSON array of objects with one member each; a computed name makes a member of `__proto__` too. */
function userPropertiesOf({ userProperties }: OutgoingMqttMessage): string {
  return JSON.stringify(userProperties.map(([name, value]) => ({ [name]: value })));
}
