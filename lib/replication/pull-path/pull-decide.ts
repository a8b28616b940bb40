import { BridgeError, InvalidMessageError } from '../../domain/errors/errors.ts';
import type { OutgoingMqttMessage } from '../../domain/messages/message.ts';
import type { RocketmqToMqttMapper } from '../../mapping/rocketmq-to-mqtt.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReceivedMessage } from '../../ports/message-consumer.ts';

/** Why a message is deliberately not carried. `skipped`: born before the task wanted to start. */
export type PullSkipped = 'expired' | 'loopSkipped' | 'skipped';

/** What is to be done with a message, as far as it and the task alone can tell. */
export type PullDecision =
  | { kind: 'publish'; message: OutgoingMqttMessage }
  | { kind: 'skip'; reason: PullSkipped }
  | { kind: 'dead-letter'; error: BridgeError };

/**
 * Asked anew for each try, since an expiry goes on. Throws for a fault of ours only.
 *
 * @param isResent - whether an earlier publishing may have arrived; of a message that was delivered before it is taken to be so
 */
export type DecidePulled = (
  message: ReceivedMessage,
  receiptTimeMs: number,
  isResent?: boolean,
) => PullDecision;

/** @param options.isTooOld - whether a message is acknowledged unsent: the start position where no admin port can set it */
export function createPullDecide(options: {
  mapper: RocketmqToMqttMapper;
  isTooOld(message: ReceivedMessage): boolean;
  clock: Pick<Clock, 'now'>;
}): DecidePulled {
  const { mapper, isTooOld, clock } = options;
  return (message, receiptTimeMs, isResent = message.deliveryAttempt > 1) => {
    if (isTooOld(message)) return { kind: 'skip', reason: 'skipped' };
    if (message.isCorrupted) return { kind: 'dead-letter', error: corrupted() };
    try {
      return mapper(message, { receiptTimeMs, sendTimeMs: clock.now(), ...(isResent && { isResent }) });
    } catch (error) {
      if (error instanceof BridgeError) return { kind: 'dead-letter', error };
      throw error;
    }
  };
}

function corrupted(): BridgeError {
  return new InvalidMessageError('the body does not have the digest that its producer gave it', {
    code: 'BODY_CORRUPTED',
    hint: 'Look at the producer: what it announced is not what RocketMQ has stored.',
  });
}
