import type { BridgeError } from '../../domain/errors/errors.ts';
import type { MessageError } from '../../domain/errors/message-errors.ts';
import { deadLetterIdOf } from '../dead-letters/dead-letter-id.ts';
import type { LaneItem } from './session-item.ts';

/** What failed of a message that a session took in, told so that it can be found. */
export function itemError(
  { source, message, provenance, delivery }: LaneItem,
  { code, message: reason }: BridgeError,
  { taskId, ...more }: Pick<MessageError, 'atMs' | 'outcome'> & { taskId: string },
): MessageError {
  const { messageId } = provenance;
  const identity = { taskId, recordId: messageId, firstSeenAtMs: delivery.receivedAtMs };
  return {
    ...more,
    code,
    reason,
    sourceTopic: source.topicName,
    ...(message === undefined ? {} : { targetTopic: message.rocketmqTopic }),
    mqferryId: messageId,
    ...(more.outcome === 'retried' ? {} : { deadLetterId: deadLetterIdOf(identity) }),
  };
}
