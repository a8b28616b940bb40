import type { BridgeError } from '../../domain/errors/errors.ts';
import type { MessageError } from '../../domain/errors/message-errors.ts';
import type { ReceivedMessage } from '../../ports/message-consumer.ts';

/** What failed of a message that was received from RocketMQ, told so that it can be found. */
export function pulledError(
  { rocketmqTopic, messageId }: ReceivedMessage,
  { code, message }: BridgeError,
  {
    targetTopic,
    deadLetterId,
    ...more
  }: Pick<MessageError, 'atMs' | 'outcome'> & {
    targetTopic: string | undefined;
    deadLetterId?: string;
  },
): MessageError {
  return {
    ...more,
    code,
    reason: message,
    sourceTopic: rocketmqTopic,
    ...(targetTopic === undefined ? {} : { targetTopic }),
    sourceId: messageId,
    ...(deadLetterId === undefined ? {} : { deadLetterId }),
  };
}
