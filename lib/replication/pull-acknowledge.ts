import type { Logger } from '../ports/logger.ts';
import type { MessageConsumer, ReceivedMessage } from '../ports/message-consumer.ts';
import type { HeldMessages } from './held-messages.ts';
import type { PullCounts } from './pull-counts.ts';

/** An acknowledgement that got no answer is asked for again at once; after that the message comes again. */
const MAX_TRIES = 3;

/** Acknowledges settled messages, one request for all of them. What cannot be acknowledged comes again: a duplicate. */
export type Acknowledge = (messages: readonly ReceivedMessage[]) => Promise<void>;

export function createAcknowledge({
  consumer,
  held,
  counts,
  isOurs,
  logger,
}: {
  consumer: Pick<MessageConsumer, 'ack'>;
  held: HeldMessages;
  counts: PullCounts;
  isOurs(): boolean;
  logger: Logger;
}): Acknowledge {
  return async (messages) => {
    let rest = messages;
    for (let tries = 1; rest.length > 0 && tries <= MAX_TRIES && isOurs(); tries += 1) {
      const results = await consumer.ack(rest);
      const failed: ReceivedMessage[] = [];
      rest.forEach((message, index) => {
        const result = results[index];
        if (result?.status === 'acked') held.remove(message);
        else if (result?.status === 'expired') {
          held.remove(message);
          counts.lapsed += 1;
        } else failed.push(message);
      });
      rest = failed;
    }
    if (rest.length === 0) return;
    for (const message of rest) held.remove(message);
    counts.lapsed += rest.length;
    logger.warn('messages not acknowledged: they come again', { messages: rest.length });
  };
}
