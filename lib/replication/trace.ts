import type { Logger } from '../ports/logger.ts';

/** For who asks for debug lines: joins an MQTT message with what it has become in RocketMQ. One line a message. */
export function traceStored(
  logger: Logger,
  joined: {
    mqferryId: string;
    topicName: string;
    rocketmqTopic: string | undefined;
    messageId: string;
    recordId?: string;
    /** From the source's time until the target had it; absent where nobody knows the source's time. */
    syncLatencyMs?: number;
  },
): void {
  if (logger.isDebug === true) logger.debug('message stored', joined);
}

/** The other way: joins a RocketMQ message with the MQTT topic it was published to. */
export function tracePublished(
  logger: Logger,
  joined: { messageId: string; rocketmqTopic: string; topicName: string; syncLatencyMs: number },
): void {
  if (logger.isDebug === true) logger.debug('message published', joined);
}
